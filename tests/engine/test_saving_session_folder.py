"""The folder of saved sessions: which one to go on with, and what is said of the others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gradstep.actions import Forward
from gradstep.opening import open_session
from gradstep.saving import session_folder as store_module
from gradstep.saving.replay import replay
from gradstep.saving.session_folder import MOST_READ, Store
from gradstep.saving.writer import SessionWriter
from gradstep.start import Start
from tests.saved_sessions import act, leave, saved_at


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "sessions")


def save(store: Store, name: str, time: int, *, close: bool = False) -> Path:
    """Save a session that was last written to at a time."""
    store.folder.mkdir(exist_ok=True)
    path = store.folder / name
    saved_at(path, [Forward()], close=close)
    return at(path, time)


def at(path: Path, time: int) -> Path:
    os.utime(path, (time, time))
    return path


def offered(store: Store) -> Path | None:
    session = store.unfinished().session
    return None if session is None else session.path


def test_where_nothing_was_saved_nothing_is_offered(store) -> None:
    assert offered(store) is store.newest() is None
    assert not store.folder.exists()


def test_the_newest_session_that_was_not_left_is_offered(store) -> None:
    save(store, "b.jsonl", 100)
    save(store, "a.jsonl", 200)
    save(store, "c.jsonl", 300, close=True)
    assert offered(store) == store.folder / "a.jsonl"
    assert store.newest() == store.folder / "c.jsonl"


def test_one_that_a_program_has_open_is_not_offered(store) -> None:
    other = save(store, "other.jsonl", 100)
    path = save(store, "open.jsonl", 200)
    writer = SessionWriter.reopen(path)
    assert offered(store) == other
    leave(writer, in_order=False)
    assert offered(store) == path


def test_one_that_is_left_in_order_after_all_is_offered_no_more(store) -> None:
    path = save(store, "a.jsonl", 100)
    assert SessionWriter.reopen(path).close()
    assert offered(store) is None


def test_one_that_is_taken_up_again_after_it_was_left_is_offered_again(store) -> None:
    path = save(store, "a.jsonl", 100, close=True)
    writer = SessionWriter.reopen(path)
    session = replay(writer.saved).session
    writer.follow(session)
    act(session, Forward(), writer)
    assert writer.flush()
    leave(writer, in_order=False)
    assert offered(store) == path


def test_bad_files_are_told_and_kept_and_older_ones_offered(store) -> None:
    good = save(store, "good.jsonl", 100)
    contents = {
        "damaged.jsonl": good.read_bytes().replace(b"Forward", b"Foreward"),
        "foreign.jsonl": b"hello\n",
        "cut off.jsonl": good.read_bytes()[:50],
    }
    for place, (name, content) in enumerate(contents.items(), start=2):
        (store.folder / name).write_bytes(content)
        at(store.folder / name, 100 * place)
    (store.folder / "folder.jsonl").mkdir()
    at(store.folder / "folder.jsonl", 900)
    found = store.unfinished()
    assert found.session is not None
    assert found.session.path == good
    assert [error.path.name for error in found.bad] == ["folder.jsonl", *reversed(contents)]
    assert all((store.folder / name).read_bytes() == content for name, content in contents.items())


def test_other_files_are_none_of_its_business(store) -> None:
    store.folder.mkdir()
    for name in ("notes.txt", ".hidden.jsonl", ".a.jsonl.1.part"):
        (store.folder / name).write_text("x")
    (store.folder / "killed-when-just-made.jsonl").touch()
    assert store.unfinished().bad == ()
    assert store.newest() is None


def test_one_that_is_cut_off_is_offered_until_it_is_gone_on_with(store) -> None:
    path = save(store, "a.jsonl", 100)
    saved_at(longer := store.folder / "b.jsonl")
    data = longer.read_bytes()
    longer.unlink()
    path.write_bytes(data[:-5])
    found = store.unfinished().session
    assert found is not None
    assert (found.path, found.torn, len(found.actions)) == (path, 10, 8)
    writer = SessionWriter.take_over(path, store.paths("crops"))
    new = writer.path
    assert offered(store) is None  # the new one is open
    leave(writer, in_order=False)
    assert offered(store) == new
    assert SessionWriter.reopen(new).close()
    assert offered(store) is None
    new.unlink()
    assert offered(store) == path


def test_a_copy_that_is_damaged_does_not_hide_the_file_that_it_continues(store) -> None:
    store.folder.mkdir()
    saved_at(path := store.folder / "a.jsonl")
    path.write_bytes(path.read_bytes()[:-5])
    writer = SessionWriter.take_over(path, store.paths("crops"))
    new = writer.path
    leave(writer, in_order=False)
    new.write_bytes(new.read_bytes().replace(b"Update", b"Uptade"))
    at(path, 100)
    found = store.unfinished()
    assert found.session is not None
    assert found.session.path == path
    assert [error.path for error in found.bad] == [new]


def test_one_cut_off_in_its_first_action_holds_nothing_to_offer(store) -> None:
    path = save(store, "a.jsonl", 100)
    path.write_bytes(path.read_bytes()[:-5])
    found = store.unfinished()
    assert (found.session, found.bad) == (None, ())


def test_of_hundreds_of_files_only_the_newest_are_looked_at(store, monkeypatch) -> None:
    old = save(store, "old.jsonl", 1)
    data = save(store, "closed.jsonl", 2, close=True).read_bytes()
    for number in range(400):
        path = store.folder / f"{number}.jsonl"
        path.write_bytes(data)
        at(path, 1000 + number)
    looked_at: list[Path] = []
    left_in_order = store_module._left_in_order
    monkeypatch.setattr(
        store_module, "_left_in_order", lambda path: looked_at.append(path) or left_in_order(path)
    )
    assert offered(store) is None
    assert len(looked_at) == MOST_READ
    assert old not in looked_at


def test_names_tell_when_and_what(store) -> None:
    names = store.paths("crops")
    first, second = next(names), next(names)
    assert store.folder.is_dir()
    assert first.parent == store.folder
    assert first.match("????-??-??-??????-crops.jsonl")
    assert second.name == first.name.replace(".jsonl", "-2.jsonl")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no XDG folders")
def test_sessions_are_in_the_users_state_directory(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Store().folder == tmp_path / "gradstep" / "sessions"
    writer = SessionWriter.new(Store().paths("crops"), Start())
    session = open_session(Start())
    writer.follow(session)
    act(session, Forward(), writer)
    assert writer.close()
    assert Store().newest() == writer.path


def test_what_looks_for_a_session_needs_no_pytorch() -> None:
    from tests.engine.test_imports import loaded_after

    modules = ("session_folder", "reader", "writer")
    assert "torch" not in loaded_after("; ".join(f"import gradstep.saving.{name}" for name in modules))
