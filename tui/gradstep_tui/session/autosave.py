"""Makes the session that a command asks for, and has it saved as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from gradstep.errors import EngineError
from gradstep.opening import open_session

if TYPE_CHECKING:
    from gradstep.saving.reader import SavedSession
    from gradstep.saving.writer import SessionWriter
    from gradstep.session import Session
    from gradstep.start import Start


@dataclass(frozen=True, slots=True)
class Offer:
    """An earlier session that was not left in order."""

    path: Path
    problem: str
    actions: int
    epoch: int
    when: str
    """When it was begun, in local time."""


class Keeper:
    """Holds what saves the session. Importing it does not import torch; making a session does."""

    def __init__(self, save: Path | None = None) -> None:
        """Save in a file of the user's state folder, or in `save`, which must not be there yet."""
        self._save = save
        self._writer: SessionWriter | None = None
        self._warn: Callable[[str], None] | None = None
        self._given_up = Event()
        self.notice = ""
        """What there is to say about the session that was made."""

        self.offers = save is None
        """Whether to look for a session that was not left in order."""

    def listen(self, warn: Callable[[str], None]) -> None:
        """Have `warn` called, from another thread, once nothing can be saved any more."""
        self._warn = warn
        if self._writer is not None and self._writer.trouble:
            warn(self._writer.trouble)

    def begin(self, start: Start, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Begin a session; its file is made with the first action. One before it is left in order.

        Args:
            start: Where it starts.
            stopped: Asked while a script runs: where it says so, nothing is begun.

        Raises:
            EngineError: there is no such problem, a value cannot be used, or it stopped; nothing has changed.
        """
        from gradstep.saving.writer import SessionWriter

        session = open_session(self.allowed(start), lambda: stopped() or self.has_given_up())
        start = session.origin or start
        paths = self._paths(start.title) if self._save is None else [self._save]
        writer = SessionWriter.new(paths, start, self._told)
        self.close()
        left, self._save = None if self._writer is None else self._writer.path, None
        self._keep(session, writer)
        told = f"what was before is saved: {left.name}" if left is not None else ""
        self.notice = script_notice(session) or told
        return session

    def resume(self, path: Path | None = None, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Go on with a saved session, in its file.

        Args:
            path: The file; None for the one that was written to last.
            stopped: Asked between actions: where it says so, nothing is resumed.

        Raises:
            EngineError: there is no session, another program has it open, it cannot be read, or it stopped.
        """
        from gradstep.saving.session_folder import Store

        path = path or Store().newest()
        if path is None:
            raise EngineError(f"there is no session to go on with in {Store().folder}")
        writer = self._reopened(path, "resumed", self._told)
        assert writer.saved is not None
        try:
            session = self._replayed(writer.saved, stopped)
        except BaseException:
            writer.abandon()
            raise
        if writer.path is not None and writer.path != path:
            self.notice = (
                f"the end of {path.name} is cut off: it stays, and this goes on in {writer.path.name}"
            )
        self.close()
        self._keep(session, writer)
        return session

    def replay(self, path: Path) -> Session:
        """Make a saved session again, back at its start; what is done then is not saved.

        Raises:
            BadSessionFile: it cannot be read.
        """
        from gradstep.actions import GoTo
        from gradstep.saving.reader import read_session_file

        session = self._replayed(read_session_file(path), self.has_given_up)
        session.apply(GoTo(0))
        return session

    def offer(self) -> Offer | None:
        """Give the session that was not left in order last; None where there is none.

        What is wrong with files that cannot be read is put into `notice`.
        """
        if not self.offers:
            return None
        from gradstep.saving.session_folder import Store

        found = Store().unfinished()
        if found.bad:
            self.notice = f"left as it is: {found.bad[0]}"
        saved = found.session
        if saved is None:
            return None
        last = saved.actions[-1]
        when = f"{saved.header.started.astimezone():%Y-%m-%d %H:%M}"
        return Offer(saved.path, saved.header.start.title, len(saved.actions), last.epoch, when)

    def decline(self, offer: Offer) -> None:
        """Leave an offered session in order, so that it is not offered again; its file stays."""
        with suppress(EngineError):  # somebody else may have it by now
            self._reopened(offer.path, "declined").close()

    @property
    def trouble(self) -> str:
        """Why nothing is saved any more; empty while all is well."""
        return "" if self._writer is None else self._writer.trouble

    def flush(self) -> None:
        """Wait until all that was done is written."""
        if self._writer is not None:
            self._writer.flush()

    def give_up(self) -> None:
        """Wait no longer for a script that is being loaded: it may run for ever."""
        self._given_up.set()

    def has_given_up(self) -> bool:
        """Return whether `give_up` was called: a script that is being loaded has to stop then."""
        return self._given_up.is_set()

    def allowed(self, start: Start) -> Start:
        """Return a start that a session may begin from; every start by default, fewer in a subclass.

        Raises:
            BadInput: no session may begin from it.
        """
        return start

    def close(self) -> None:
        """Leave the session in order."""
        if self._writer is not None:
            self._writer.close()

    def _reopened(self, path: Path, name: str, warn: Callable[[str], None] | None = None) -> SessionWriter:
        """Open a file to go on in it; where its end is cut off, in a new one of that name."""
        from gradstep.saving.reader import CutOff
        from gradstep.saving.writer import SessionWriter

        try:
            return SessionWriter.reopen(path, warn)
        except CutOff:
            return SessionWriter.take_over(path, self._paths(name), warn)

    def _paths(self, name: str) -> Iterable[Path]:
        from gradstep.saving.session_folder import Store

        return Store().paths(name)

    def _keep(self, session: Session, writer: SessionWriter) -> None:
        writer.follow(session)
        session.watch = writer.did
        self._writer = writer

    def _replayed(self, saved: SavedSession, stopped: Callable[[], bool]) -> Session:
        from gradstep.saving.replay import replay

        self.allowed(saved.header.start)
        replayed = replay(saved, stopped=lambda: stopped() or self.has_given_up())
        if replayed.done < len(saved.actions):
            raise EngineError("stopped: nothing was resumed, and the file is as it was")
        if replayed.mismatch is not None:
            self.notice = f"other numbers than then: {replayed.mismatch.message}"
        else:
            self.notice = f"{replayed.done:,} actions done again, every number bit for bit as it was"
        return replayed.session

    def _told(self, trouble: str) -> None:
        if self._warn is not None:
            self._warn(trouble)


def script_notice(session: Session) -> str:
    """Say the first of what there is to say about a session's script; empty where there is nothing."""
    notes = session.problem.notes
    more = f" (w tells {len(notes) - 1} more)" if len(notes) > 1 else ""
    return f"{notes[0]}{more}" if notes else ""
