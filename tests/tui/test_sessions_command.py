"""`gradstep sessions`: the saved sessions are listed, shown and deleted, and none is deleted unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradstep.actions import Forward, RunEpochs
from gradstep.saving import session_list
from gradstep.saving.session_folder import Store
from gradstep.saving.session_list import beyond_bounds, listed_session, listed_sessions
from gradstep.saving.writer import SessionWriter
from gradstep_tui.cli import main
from gradstep_tui.session.autosave import Autosave
from tests.saved_sessions import saved_at


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of saved sessions."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "gradstep" / "sessions"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def three(folder: Path) -> list[Path]:
    """Return three sessions, the one written last first: open, closed, and damaged."""
    paths = [folder / name for name in ("c-crops.jsonl", "b-crops.jsonl", "b-bad.jsonl")]
    saved_at(paths[0], [Forward()], close=False)
    saved_at(paths[1], [RunEpochs(7), Forward()], close=True)
    paths[2].write_bytes(b"no session\n")
    for age, path in enumerate(paths):
        os.utime(path, (1_000 - age, 1_000 - age))
    return paths


def test_the_list_says_what_each_session_is(three: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions"]) == 0
    heads, first, second, third, total = capsys.readouterr().out.splitlines()
    assert heads.split() == ["name", "began", "actions", "epochs", "size", "left"]
    assert first.split()[0] == "c-crops"
    assert first.endswith("not in order")
    assert second.split()[0] == "b-crops"
    assert second.split()[3:5] == ["2", "7"]
    assert second.endswith(" kB  in order")
    assert third.endswith("cannot be read")
    assert total.startswith("3 sessions, ")
    assert str(three[0].parent) in total


def test_without_sessions_it_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.rmdir()
    assert main(["sessions"]) == 0
    assert capsys.readouterr().out == f"there is no saved session in {folder}\n"


def test_one_is_shown_by_the_beginning_of_its_name(
    three: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b-c", "b-crops", "b-crops.jsonl"):
        assert main(["sessions", "show", name]) == 0
        shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        assert (shown["problem"], shown["actions"], shown["epochs"]) == ("crops", "2", "7")
        assert shown["file"] == str(three[1])
        assert float(shown["loss"]) > 0
    for name, words in (("b", "2 saved sessions begin with 'b'"), ("x", "no saved session is called 'x'")):
        assert main(["sessions", "show", name]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1


def test_a_session_is_deleted_only_after_a_yes(
    three: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["sessions", "delete", "b-crops"]) == 2
    assert "or add --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for answer in ("", "n", "yes?"):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert main(["sessions", "delete", "b-crops", "b-bad"]) == 0
        assert capsys.readouterr().out.endswith("nothing is deleted\n")
    assert all(path.exists() for path in three)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["sessions", "delete", "b-crops", "b-bad"]) == 0
    assert [path.exists() for path in three] == [True, False, False]
    assert main(["sessions", "delete", "--yes", "c-crops"]) == 0
    assert not list(three[0].parent.iterdir())


def test_one_that_a_program_has_open_is_not_deleted(
    three: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    writer = SessionWriter.reopen(three[1])
    try:
        assert main(["sessions", "delete", "--yes", "b-crops", "c-crops"]) == 2
    finally:
        writer.close()
    assert "another gradstep has this session open" in capsys.readouterr().err
    assert [path.exists() for path in three] == [False, True, True]


def test_prune_deletes_the_oldest_beyond_a_number(
    three: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "prune", "--yes"]) == 0
    assert all(path.exists() for path in three)
    assert main(["sessions", "prune", "--keep", "2", "--yes"]) == 0
    assert [path.exists() for path in three] == [True, True, False]
    capsys.readouterr()
    for keep in ("0", "-1", "x", "٣"):
        with pytest.raises(SystemExit):
            main(["sessions", "prune", f"--keep={keep}"])
        assert capsys.readouterr().err.count("\n") == 1


def test_the_bounds_count_sessions_and_bytes_and_spare_the_newest(three: list[Path]) -> None:
    store = Store(three[0].parent)
    assert beyond_bounds(store, 2) == three[2:]
    assert beyond_bounds(store, 3, three[0].stat().st_size) == three[1:]
    assert beyond_bounds(store, 0, 0) == three[1:]


def test_a_start_beyond_the_bounds_says_so_and_deletes_nothing(
    three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave = Autosave()
    assert autosave.offer() is not None
    assert "prune" not in autosave.notice.text
    monkeypatch.setattr(session_list, "beyond_bounds", lambda store: three[2:])
    autosave = Autosave()
    assert autosave.offer() is not None
    assert "`gradstep sessions prune` deletes the oldest 1 session;" in autosave.notice.text
    assert all(path.exists() for path in three)


def test_a_cut_off_line_is_no_proper_end(three: list[Path]) -> None:
    assert listed_session(three[1]).in_order
    with open(three[1], "ab") as file:
        file.write(b'{"what":')
    found = listed_session(three[1])
    assert not found.in_order
    assert (found.actions, found.epochs) == (2, 7)
    assert len(list(listed_sessions(Store(three[1].parent)))) == 3


def test_none_of_it_imports_pytorch(three: list[Path]) -> None:
    script = (
        "import sys; from gradstep_tui.cli import main; main(['sessions']); main(['sessions', 'show', 'c']);"
        "main(['sessions', 'prune', '--keep', '1', '--yes']); print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.endswith("False\n")
