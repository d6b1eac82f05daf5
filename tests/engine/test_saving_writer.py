"""Writing a session file: never over another one, never two programs, and a disk that fails warns once."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gradstep.actions import Forward, StepNode
from gradstep.opening import open_session
from gradstep.saving.fsync import Syncer
from gradstep.saving.reader import BadSessionFile, CutOff, read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.session_file import Busy, SessionFile, in_use
from gradstep.saving.session_folder import Store
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start
from tests.saved_sessions import SOME, act, leave, picture, saved_at
from tests.tui.test_without_unix import LIKE_WINDOWS

ELSEWHERE = """
import sys
from pathlib import Path
from gradstep.saving.session_file import Busy, SessionFile, in_use
path = Path(sys.argv[1])
try:
    file = SessionFile.open(path)
except Busy as busy:
    print(busy)
else:
    print("opened", in_use(path))
"""


def elsewhere(path: Path, before: str = "") -> str:
    """Open a session file in another program; give what came of it."""
    command = [sys.executable, "-c", before + ELSEWHERE, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def begun(*paths: Path, warn=None) -> tuple[Session, SessionWriter]:
    session = open_session(Start())
    writer = SessionWriter.new(paths, Start(), warn)
    writer.follow(session)
    return session, writer


def assert_goes_on(session: Session, writer: SessionWriter, warned: list[str]) -> None:
    """Training goes on after trouble, and nothing more is said or tried."""
    assert warned == [writer.trouble]
    for action in SOME:
        assert not act(session, action, writer)
    assert session.frame.epoch
    assert not writer.flush()
    assert not writer.close()
    assert warned == [writer.trouble]
    assert "\n" not in writer.trouble


# One file, one program


def test_a_file_that_is_there_is_never_written_over(tmp_path) -> None:
    taken, free = tmp_path / "taken", tmp_path / "free"
    taken.write_text("mine")
    session, writer = begun(taken, free)
    act(session, Forward(), writer)
    assert writer.close()
    assert writer.path == free
    assert taken.read_text() == "mine"
    assert len(read_session_file(free).actions) == 1


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "folder"])
def test_where_no_name_is_free_that_is_said(tmp_path, kind) -> None:
    path, other = tmp_path / "session.jsonl", tmp_path / "other"
    match kind:
        case "file":
            path.write_text("mine")
        case "link":
            other.write_text("mine")
            path.symlink_to(other)
        case "dangling link":
            path.symlink_to(other)
        case "folder":
            path.mkdir()
    warned: list[str] = []
    session, writer = begun(path, warn=warned.append)
    act(session, Forward(), writer)
    assert not writer.flush()
    assert writer.trouble == f"not saved from action 1 on: File exists; training goes on; {path}"
    assert_goes_on(session, writer, warned)
    assert kind == "folder" or not path.exists() or path.read_text() == "mine"


def test_only_its_user_can_read_a_session(tmp_path) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_open_is_busy_here_and_elsewhere(tmp_path) -> None:
    path = tmp_path / "session.jsonl"
    session, writer = begun(path)
    act(session, Forward(), writer)
    assert writer.flush()
    assert in_use(path)
    with pytest.raises(Busy, match="another gradstep has this session open") as caught:
        SessionWriter.reopen(path)
    with pytest.raises(Busy):
        SessionWriter.take_over(path, [tmp_path / "new"])
    assert elsewhere(path) == str(caught.value)
    assert writer.close()
    assert not in_use(path)
    assert elsewhere(path) == "opened True"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_two_programs_that_start_in_the_same_second_have_two_files(tmp_path) -> None:
    store = Store(tmp_path / "sessions")
    sessions = []
    for _ in range(3):
        session = open_session(Start())
        writer = SessionWriter.new(store.paths("crops"), Start())
        writer.follow(session)
        sessions.append((session, writer))
    for session, writer in sessions:
        act(session, Forward(), writer)
    assert all(writer.close() for _, writer in sessions)
    assert len({writer.path for _, writer in sessions}) == 3
    assert all(len(read_session_file(writer.path).actions) == 1 for _, writer in sessions)


def test_without_locks_it_saves_all_the_same(tmp_path) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path)
    assert elsewhere(path, LIKE_WINDOWS) == "opened False"


def test_what_another_program_added_before_the_lock_is_seen(tmp_path) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path)
    early = read_session_file(path)
    session, writer = replay(early).session, SessionWriter.reopen(path)
    writer.follow(session)
    act(session, Forward(), writer)
    assert writer.close()
    again = SessionWriter.reopen(path)
    assert again.saved is not None
    assert len(again.saved.actions) == len(early.actions) + 1
    assert again.close()


# A disk that fails


def test_a_full_disk_warns_once_and_leaves_whole_lines(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own limit on a file's size: the write that meets it is cut short, then fails."""
    path = tmp_path / "session.jsonl"
    warned: list[str] = []
    session, writer = begun(path, warn=warned.append)
    act(session, Forward(), writer)
    assert writer.flush()
    limit = path.stat().st_size + 1000
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would be cut off, too
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        for action in SOME[1:]:
            act(session, action, writer)
        writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    whole = read_session_file(path)
    done = len(whole.actions)
    assert 1 < done < len(SOME)
    assert path.stat().st_size < limit
    assert writer.trouble == f"not saved from action {done + 1} on: File too large; training goes on; {path}"
    assert_goes_on(session, writer, warned)
    assert read_session_file(path) == whole


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_disk_without_space_is_named(monkeypatch) -> None:
    def full(path: Path) -> SessionFile:
        return SessionFile(path, os.open("/dev/full", os.O_RDWR))

    monkeypatch.setattr(SessionFile, "create", full)
    warned: list[str] = []
    session, writer = begun(Path("session.jsonl"), warn=warned.append)
    act(session, Forward(), writer)
    assert not writer.flush()
    assert writer.trouble == (
        "not saved from action 1 on: No space left on device; training goes on; session.jsonl"
    )
    assert_goes_on(session, writer, warned)


@pytest.mark.parametrize(
    ("place", "told"), [("file", "Not a directory"), ("gone", "No such file or directory"), ("kernel", "")]
)
def test_a_folder_that_takes_no_file_warns_once(tmp_path, place, told) -> None:
    """Also as root: no user can make a file under a file, in no folder, or among the kernel's own."""
    (tmp_path / "file").touch()
    folder = Path("/proc/self") if place == "kernel" else tmp_path / place
    warned: list[str] = []
    session, writer = begun(folder / "session.jsonl", warn=warned.append)
    act(session, Forward(), writer)
    assert not writer.flush()
    assert writer.trouble.startswith(f"not saved from action 1 on: {told}")
    assert writer.trouble.endswith(f"; training goes on; {folder}/session.jsonl")
    assert_goes_on(session, writer, warned)


def test_a_store_that_cannot_be_made_warns_once(tmp_path) -> None:
    (tmp_path / "file").touch()
    warned: list[str] = []
    session = open_session(Start())
    store = Store(tmp_path / "file" / "sessions")
    writer = SessionWriter.new(store.paths("crops"), Start(), warned.append)
    writer.follow(session)
    act(session, Forward(), writer)
    assert not writer.flush()
    assert "Not a directory" in writer.trouble
    assert_goes_on(session, writer, warned)


def test_a_file_that_was_deleted_meanwhile_warns_once(tmp_path) -> None:
    path = tmp_path / "session.jsonl"
    warned: list[str] = []
    session, writer = begun(path, warn=warned.append)
    act(session, Forward(), writer)
    assert writer.flush()
    path.unlink()
    act(session, Forward(), writer)
    assert not writer.flush()
    assert writer.trouble == f"not saved from action 2 on: the file was deleted; training goes on; {path}"
    assert_goes_on(session, writer, warned)


def test_a_disk_that_reports_its_error_late_warns_once(tmp_path, monkeypatch) -> None:
    def sync(self: SessionFile) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(SessionFile, "sync", sync)
    path, told = tmp_path / "session.jsonl", threading.Event()
    warned: list[str] = []
    session, writer = begun(path, warn=lambda text: (warned.append(text), told.set()))
    act(session, Forward(), writer)
    assert told.wait(10)
    assert "Input/output error" in writer.trouble
    assert_goes_on(session, writer, warned)


def test_a_file_that_can_be_read_and_not_written_is_gone_on_from_unsaved(tmp_path, monkeypatch) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path)
    data = path.read_bytes()

    def denied(path: Path) -> SessionFile:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(SessionFile, "open", denied)
    warned: list[str] = []
    writer = SessionWriter.reopen(path, warned.append)
    assert writer.trouble == f"not saved from action 10 on: Permission denied; training goes on; {path}"
    session = replay(writer.saved).session
    writer.follow(session)
    assert_goes_on(session, writer, warned)
    assert path.read_bytes() == data


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read_without_end(device) -> None:
    with pytest.raises(BadSessionFile, match="not a regular file"):
        SessionWriter.reopen(Path(device))


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadSessionFile, match="not a regular file"):
        SessionWriter.reopen(tmp_path / "pipe")


def test_a_disk_that_cannot_be_read_is_no_crash(tmp_path, monkeypatch) -> None:
    def fail(*_) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "session.jsonl"
    saved_at(path)
    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(BadSessionFile, match="cannot be read: Input/output error"):
        SessionWriter.reopen(path)


def test_a_file_that_is_missing_cannot_be_reopened(tmp_path) -> None:
    for open_it in (SessionWriter.reopen, lambda path: SessionWriter.take_over(path, [tmp_path / "new"])):
        with pytest.raises(BadSessionFile, match="there is no such file"):
            open_it(tmp_path / "session.jsonl")


# A disk that is slow


@pytest.fixture
def stuck(monkeypatch):
    """A disk that takes a line only when it is told to."""
    free = threading.Event()
    append = SessionFile.append

    def slow(self: SessionFile, lines: bytes) -> None:
        assert free.wait(30)
        append(self, lines)

    monkeypatch.setattr(SessionFile, "append", slow)
    yield free
    free.set()


def test_a_slow_disk_keeps_nobody_waiting(tmp_path, stuck) -> None:
    path = tmp_path / "session.jsonl"
    session, writer = begun(path)
    for action in SOME:
        act(session, action, writer)
    assert not writer.flush(0.01)
    assert not writer.close(0.01)
    assert not writer.trouble
    stuck.set()
    assert writer._thread is not None
    writer._thread.join(10)
    assert [did.action for did in read_session_file(path).actions] == list(SOME)


def test_a_slow_sync_keeps_no_line_waiting(tmp_path, monkeypatch) -> None:
    free, begun_sync = threading.Event(), threading.Event()

    def sync(self: SessionFile) -> None:
        begun_sync.set()
        assert free.wait(30)

    monkeypatch.setattr(SessionFile, "sync", sync)
    path = tmp_path / "session.jsonl"
    session, writer = begun(path)
    act(session, Forward(), writer)
    assert begun_sync.wait(10)
    act(session, StepNode(), writer)
    assert writer.flush()
    assert len(read_session_file(path).actions) == 2
    free.set()
    assert writer.close()


def test_the_last_lines_reach_the_disk(tmp_path) -> None:
    """However the end and a sync fall together."""
    for pause in (0, 0, 0.0005, 0.001, 0.002):
        synced: list[int] = []

        class File:
            written = 0

            def sync(self) -> None:
                found = self.written
                time.sleep(0.001)
                synced.append(found)  # noqa: B023 - used at once

        file = File()
        syncer = Syncer(file, lambda error: None)  # type: ignore[arg-type]
        for number in range(1, 4):
            file.written = number
            syncer.want()
            time.sleep(pause)
        syncer.end()
        assert synced[-1] == 3


def test_a_bug_in_the_writer_is_told(tmp_path, monkeypatch) -> None:
    def broken(self: SessionFile, lines: bytes) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(SessionFile, "append", broken)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    warned: list[str] = []
    session, writer = begun(tmp_path / "session.jsonl", warn=warned.append)
    act(session, Forward(), writer)
    writer._thread.join(10)
    assert "RuntimeError: a bug" in writer.trouble
    assert_goes_on(session, writer, warned)


# A file whose end is cut off


@pytest.fixture
def torn(tmp_path) -> Path:
    path = tmp_path / "old.jsonl"
    saved_at(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 7)
    return path


def test_a_file_that_is_cut_off_is_gone_on_with_in_a_new_one(tmp_path, torn) -> None:
    data, new = torn.read_bytes(), tmp_path / "new.jsonl"
    with pytest.raises(CutOff, match="line 10 is cut off; the 8 actions before it are complete"):
        SessionWriter.reopen(torn)
    writer = SessionWriter.take_over(torn, [torn, new])
    assert writer.saved is not None
    assert [did.action for did in writer.saved.actions] == list(SOME[:-1])
    replayed = replay(writer.saved)
    assert replayed.mismatch is None
    writer.follow(replayed.session)
    act(replayed.session, SOME[-1], writer)
    assert writer.close()
    saved = read_session_file(new)
    assert saved.header.continues == torn.name
    assert [did.action for did in saved.actions] == list(SOME)
    assert picture(replay(saved).session) == picture(replayed.session)
    assert torn.read_bytes() == data
    assert sorted(one.name for one in tmp_path.iterdir()) == [new.name, torn.name]


@pytest.mark.parametrize("step", ["append", "sync", "link"])
def test_a_take_over_that_is_broken_off_leaves_the_old_file_alone(tmp_path, torn, monkeypatch, step) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "link" else SessionFile, step, killed)
        with pytest.raises(KeyboardInterrupt):
            SessionWriter.take_over(torn, [tmp_path / "new.jsonl"])
    assert [one.name for one in tmp_path.iterdir()] == [torn.name]
    assert Store(tmp_path).unfinished().session.path == torn


def test_a_file_system_without_links_is_good_enough(tmp_path, torn, monkeypatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "taken").write_text("mine")
    writer = SessionWriter.take_over(torn, [tmp_path / "taken", tmp_path / "new"])
    assert writer.path == tmp_path / "new"
    assert (tmp_path / "taken").read_text() == "mine"
    leave(writer)


def test_where_the_new_file_cannot_be_made_it_goes_on_unsaved(tmp_path, torn) -> None:
    warned: list[str] = []
    writer = SessionWriter.take_over(torn, [tmp_path / "gone" / "new.jsonl"], warned.append)
    session = replay(writer.saved).session
    writer.follow(session)
    assert writer.trouble == (
        f"not saved from action 9 on: No such file or directory; training goes on; {tmp_path}/gone/new.jsonl"
    )
    assert_goes_on(session, writer, warned)
