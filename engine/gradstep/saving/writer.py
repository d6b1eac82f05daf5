"""Saves a session as it goes: the acting thread hands over what was done, another one writes it."""

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
    from gradstep.training.state import State

PATIENCE: Final = 2.0
"""Seconds that leaving waits for a slow disk."""

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    action: Action
    state: State
    refused: str


class SessionWriter:
    """Writes one session's file. Nothing here waits for a disk but `flush` and `close`, and those not long.

    A writer that cannot write says so once, in `trouble`, and from then on does nothing.
    """

    def __init__(self, lines: Lines, saved: SavedSession | None, warn: Warn | None) -> None:
        """Use `new`, `reopen` or `take_over`."""
        self.saved = saved
        """What the file held when it was opened; None for a new one."""

        self.trouble = ""
        """Why nothing is saved any more, in one sentence; empty while all is well. Set by another thread."""

        self._lines = lines
        self._warn = warn
        self._state: State | None = None
        self._queue: SimpleQueue[_Done | Event | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._syncer: Syncer | None = None
        self._failing = Lock()

    @classmethod
    def new(cls, paths: Iterable[Path], start: Start, warn: Warn | None = None) -> SessionWriter:
        """Save in a new file, which is made with the first action.

        Args:
            paths: Where; where something is there already, the next one is taken.
            start: Where the session starts.
            warn: Called once with `trouble` where there is some, from another thread.
        """
        return cls(Lines(start, paths), None, warn)

    @classmethod
    def reopen(cls, path: Path, warn: Warn | None = None) -> SessionWriter:
        """Go on with a file; it is read (`saved`) when no other program can write to it any more.

        Where it can be read but not written to, there is `trouble` from the start.

        Raises:
            Busy: another program has it open.
            CutOff: its last line is cut off: `take_over` goes on with what is before.
            BadSessionFile: it cannot be read.
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
        """Go on with a file whose last line is cut off, in a new file; the old one stays as it is.

        Args:
            path: The old file.
            paths: Where the new one may be; the first that is free is taken.
            warn: As for `new`.

        Raises:
            Busy: another program has the old one open.
            BadSessionFile: it cannot be read.
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
        """The file; None before it is made."""
        return None if self._lines.file is None else self._lines.file.path

    def follow(self, session: Session) -> None:
        """Begin with the session as it stands: what `saved` leads to, or the start."""
        # Loaded now, so that the first action is on its way to the disk as soon as any other.
        from gradstep.saving.fingerprint import this_environment

        this_environment()
        load_locks()
        self._state = session.state
        self._lines.names = tuple(one.name for one in session.frame.parameters)

    def did(self, action: Action, state: State, error: EngineError | None = None) -> None:
        """Save an action that was done; where it changed nothing, there is nothing to save.

        Args:
            action: What was done; of a run that was stopped, the run of the epochs that ended.
            state: The session's state after it.
            error: Error with which the engine or PyTorch ended the action; None if it was complete.
        """
        before = self._state
        assert before is not None, "a writer follows a session"
        if self.trouble or state is before:
            return
        self._state = state
        state.in_pass  # noqa: B018 - a trace makes its events when first asked: here, not in two threads at once
        self._queue.put(_Done(action, state, "" if error is None else str(error)))
        self._running()

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Wait until all that was done is written, so that it survives the end of this process.

        Returns:
            Whether it is; False after `seconds`, or where there is `trouble`.
        """
        if self._thread is not None and self._thread.is_alive() and not self.trouble:
            written = Event()
            self._queue.put(written)
            if not written.wait(seconds):
                return False
        return not self.trouble

    def close(self, seconds: float = PATIENCE) -> bool:
        """Mark the session as left in order, have it reach the disk, and let others open the file.

        Nothing can be saved after it.

        Returns:
            Whether all is saved; False after `seconds`, or where there is `trouble`.
        """
        thread = self._running()
        self._queue.put(None)
        thread.join(seconds)
        return not thread.is_alive() and not self.trouble

    def abandon(self) -> None:
        """Let others open the file, which stays as it is; nothing can be saved after it."""
        self.trouble = self.trouble or "this session was given up before it began"
        if self._lines.file is not None:
            self._lines.file.close()

    def _running(self) -> Thread:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="session writer", daemon=True)
            self._thread.start()
        return self._thread

    # In the thread

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as error:  # a bug: the learner is to know that nothing is saved
            self._fail(error)
            raise

    def _write_all(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Done):
                self._write(item)
            else:
                item.set()
        self._write(None)
        if self._syncer is not None:
            self._syncer.end()
        if self._lines.file is not None:
            self._lines.file.close()

    def _write(self, done: _Done | None) -> None:
        """Write what was done, or that this is the end; not after trouble."""
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
            where = getattr(error, "filename", None) or self.path
            match error:
                case OSError():
                    reason = f"{error.strerror}; training goes on; {where}"
                case EngineError():
                    reason = f"training goes on; {error}"
                case _:
                    reason = f"training goes on; {type(error).__name__}: {error}"
            self.trouble = f"not saved from action {self._lines.number + 1:,} on: {reason}"
        if self._warn is not None:
            self._warn(self.trouble)
