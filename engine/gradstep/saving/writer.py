"""Saves a session while it runs: a thread writes each action after it was applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.saving.fsync import Syncer
from gradstep.saving.line_builder import Lines
from gradstep.saving.reader import SavedSession, parsed, read_session_file
from gradstep.saving.recovery import copied
from gradstep.saving.session_file import Busy, SessionFile, load_locks
from gradstep.start import Start

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep.training.state import TrainingState

PATIENCE: Final = 2.0
"""Seconds that `flush` and `close` wait for a slow disk."""

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    action: Action
    state: TrainingState
    refused: str


class SessionWriter:
    """Writer of one session's file. Only `flush` and `close` wait for the disk, for a limited time.

    After the first failure the writer sets `trouble` and writes nothing more.
    """

    def __init__(self, lines: Lines, saved: SavedSession | None, warn: Warn | None) -> None:
        """Make a writer; use `new`, `reopen` or `take_over` instead."""
        self.saved = saved
        """Content of the file when it was opened; None for a new file."""

        self.trouble = ""
        """Reason why saving stopped, or an empty string. Set by the writer's thread."""

        self._lines = lines
        self._warn = warn
        self._state: TrainingState | None = None
        self._queue: SimpleQueue[_Done | Event | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._syncer: Syncer | None = None
        self._failing = Lock()
        self._noted = self._written = 0
        """Numbers of actions that were handed to the writer's thread, and that it has written."""

    @classmethod
    def new(cls, paths: Iterable[Path], start: Start, warn: Warn | None = None) -> SessionWriter:
        """Return a writer for a new file, which is created with the first action.

        Args:
            paths: Candidate paths, of which the first free one is used.
            start: Start of the session.
            warn: Called from the writer's thread with `trouble`, at most once.
        """
        return cls(Lines(start, paths), None, warn)

    @classmethod
    def reopen(cls, path: Path, warn: Warn | None = None) -> SessionWriter:
        """Return a writer that continues a file, with the content of the file in `saved`.

        The file is locked before it is read. If it can only be read, `trouble` is set from the start.

        Args:
            path: Path of the file.
            warn: As for `new`.

        Raises:
            Busy: Another program has the file open.
            CutOff: The last line is cut off; `take_over` continues from the lines before it.
            BadSessionFile: The file cannot be read.
        """
        try:
            file = SessionFile.open(path)
        except OSError as error:
            return cls._unable(read_session_file(path), error, warn)
        try:
            saved = parsed(path, file.read())
        except BaseException:
            file.close()
            raise
        return cls(Lines(saved.header.start, file=file, saved=saved), saved, warn)

    @classmethod
    def take_over(cls, path: Path, paths: Iterable[Path], warn: Warn | None = None) -> SessionWriter:
        """Return a writer that continues a file with a cut-off last line in a new file.

        Args:
            path: Path of the old file, which is not changed.
            paths: Candidate paths for the new file, of which the first free one is used.
            warn: As for `new`.

        Raises:
            Busy: Another program has the old file open.
            BadSessionFile: The old file cannot be read.
        """
        try:
            return cls.reopen(copied(path, paths), warn)
        except OSError as error:
            return cls._unable(read_session_file(path, allow_torn=True), error, warn)

    @classmethod
    def _unable(cls, saved: SavedSession, error: OSError, warn: Warn | None) -> SessionWriter:
        writer = cls(Lines(saved.header.start, saved=saved), saved, warn)
        writer._fail(error)
        return writer

    @property
    def path(self) -> Path | None:
        """Path of the file; None before it is created."""
        return None if self._lines.file is None else self._lines.file.path

    @property
    def is_settled(self) -> bool:
        """Whether every action is written, or cannot be."""
        return self._written == self._noted or bool(self.trouble)

    def follow(self, session: Session) -> None:
        """Save the actions of a session that is at its start, or at the end of `saved`."""
        # Imported now, so that the first action reaches the disk as soon as any other.
        from gradstep.saving.fingerprint import this_environment

        this_environment()
        load_locks()
        self._state = session.state
        self._lines.names = tuple(parameter.name for parameter in session.frame.parameters)

    def did(self, action: Action, state: TrainingState, error: EngineError | None = None) -> None:
        """Save an action that was applied, unless it changed nothing.

        Args:
            action: Applied action; for a run that was stopped, a run of the epochs that were completed.
            state: TrainingState of the session after the action.
            error: Error with which the engine or PyTorch ended the action; None if it was complete.
        """
        before = self._state
        assert before is not None, "a writer follows a session"
        if self.trouble or state is before:
            return
        self._state = state
        state.in_pass  # noqa: B018 - builds the trace's events now, so that no two threads build them at once
        self._noted += 1
        self._queue.put(_Done(action, state, "" if error is None else str(error)))
        self._running()

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Wait until every action is written, so that it survives the end of this process.

        Returns:
            Whether every action is written; False after `seconds`, or if there is `trouble`.
        """
        if self._thread is not None and self._thread.is_alive() and not self.trouble:
            written = Event()
            self._queue.put(written)
            if not written.wait(seconds):
                return False
        return not self.trouble

    def close(self, seconds: float = PATIENCE) -> bool:
        """Mark the session as closed, flush the file to the disk and release it. The writer is then unusable.

        Returns:
            Whether everything is saved; False after `seconds`, or if there is `trouble`.
        """
        thread = self._running()
        self._queue.put(None)
        thread.join(seconds)
        return not thread.is_alive() and not self.trouble

    def abandon(self) -> None:
        """Release the file without changing it. The writer is then unusable."""
        self.trouble = self.trouble or "this session was abandoned before it began"
        if self._lines.file is not None:
            self._lines.file.close()

    def _running(self) -> Thread:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="session writer", daemon=True)
            self._thread.start()
        return self._thread

    # In the writer's thread

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as error:  # a bug; the learner must know that nothing is saved
            self._fail(error)
            raise

    def _write_all(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Done):
                self._write(item)
                self._written += 1
            else:
                item.set()
        self._write(None)
        if self._syncer is not None:
            self._syncer.end()
        if self._lines.file is not None:
            self._lines.file.close()

    def _write(self, done: _Done | None) -> None:
        """Write an action, or the end of the session for None; do nothing after a failure."""
        if self.trouble:
            return
        try:
            if done is None:
                self._lines.end()
            else:
                self._lines.add(done.action, done.state, done.refused)
        except (OSError, Busy) as error:
            self._fail(error)
            return
        if self._lines.file is not None:
            self._syncer = self._syncer or Syncer(self._lines.file, self._fail)
            self._syncer.want()

    def _fail(self, error: Exception) -> None:
        with self._failing:
            if self.trouble:
                return
            number = f"{self._lines.number + 1:,}"
            match error:
                case OSError():
                    path = getattr(error, "filename", None) or self.path
                    trouble = f"not saved from action {number} on: {error.strerror}; training goes on; {path}"
                case EngineError():
                    trouble = f"not saved from action {number} on: training goes on; {error}"
                case _:
                    kind = type(error).__name__
                    trouble = f"not saved from action {number} on: training goes on; {kind}: {error}"
            self.trouble = trouble
        if self._warn is not None:
            self._warn(self.trouble)
