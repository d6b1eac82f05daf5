"""Makes the session that a command asks for, and saves every action as it happens."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.reload import is_unchanged
from gradstep_tui.session.offers import Offer, bounds_notice, closed_offer, unfinished_offer
from gradstep_tui.session.script_start import resuming_title
from gradstep_tui.text.remarks import NOTHING, hint, success, warning

if TYPE_CHECKING:
    from gradstep.saving.reader import SavedSession
    from gradstep.saving.writer import SessionWriter
    from gradstep.session import Session
    from gradstep.start import Start


LEFT: Final = "the session before is saved: `gradstep resume {name}` goes on with it"
LEFT_CHANGED: Final = (
    "the session before is saved as {name}; it can be resumed once {file} has its earlier text again"
)
"""Sentences on a session that another one took the place of, by whether its file has the same text still."""

SETTLING: Final = 0.3
"""Seconds that new work waits for a slow disk."""


class Autosave:
    """Makes sessions and saves them. Importing this class does not import torch; making a session does."""

    def __init__(self, save: Path | None = None) -> None:
        """Save to `save`, which must not exist yet, or to a new file in the user's state folder if None."""
        self._save = save
        self._writer: SessionWriter | None = None
        self._warn: Callable[[str], None] | None = None
        self._given_up = Event()
        self.notice = NOTHING
        """Remark on the session that was made; `NOTHING` if there is nothing to say."""

        self.offers = save is None
        """Whether to look for an earlier session that can be resumed."""

        self.offers_any = False
        """Whether the last session is offered whatever its problem is, because none was asked for."""

        self._started: Start | None = None
        self._origin: Start | None = None
        """Start of the present session, with the digests of its files."""

        self._left: Path | None = None
        """File of the last session with actions that this one took the place of."""

    @property
    def keeps_all(self) -> bool:
        """Whether a session stays saved when another one takes its place."""
        return not self.trouble

    def listen(self, warn: Callable[[str], None]) -> None:
        """Call `warn` with the reason, from another thread, once saving fails."""
        self._warn = warn
        if self._writer is not None and self._writer.trouble:
            warn(self._writer.trouble)

    def begin(self, start: Start, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Begin a session, and close the session before it. A session's file is made at its first action.

        Args:
            start: Problem and options of the session.
            stopped: Called again and again while a script runs; if it returns True, no session is begun.

        Raises:
            EngineError: there is no such problem, a value cannot be used, or `stopped` returned True. The
            session
                before goes on unchanged.
        """
        from gradstep.saving.writer import SessionWriter

        session = open_session(self.allowed(start), lambda: stopped() or self.has_given_up())
        start = session.origin or start
        paths = self._paths(start.title) if self._save is None else [self._save]
        writer = SessionWriter.new(paths, start, self._told)
        self.close()
        left, self._save = None if self._writer is None else self._writer.path, None
        before, self._started, self._left = self._origin, start, left or self._left
        self._keep(session, writer)
        from gradstep_tui.text.scripts.script_notes import script_remark

        saved = NOTHING if left is None or before is None else success(left_text(left, before))
        self.notice = saved.also(script_remark(session))
        return session

    def begin_lesson(self, start: Start, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Begin the session of a lesson as `begin` does; what is odd about its script is left to be found.

        Args:
            start: Problem of the session.
            stopped: Called again and again while a script runs; if it returns True, no session is begun.

        Raises:
            EngineError: As `begin` does.
        """
        session = self.begin(start, stopped)
        self.notice = NOTHING
        return session

    def resume(self, path: Path | None = None, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Resume a saved session; its further actions are saved in the same file.

        Args:
            path: Path of the session file; None for the file that was written to last.
            stopped: Called between actions; if it returns True, no session is resumed.

        Raises:
            EngineError: there is no saved session, another program has it open, it cannot be read, or
            `stopped`
                returned True.
        """
        from gradstep.saving.session_folder import Store

        path = path or Store().newest()
        if path is None:
            raise EngineError(f"there is no saved session in {Store().folder}")
        writer = self._reopened(path, "resumed", self._told)
        assert writer.saved is not None
        try:
            session = self._replayed(writer.saved, stopped)
        except BaseException:
            writer.abandon()
            raise
        if writer.path is not None and writer.path != path:
            self.notice = warning(
                f"the end of {path.name} is missing: that file stays as it is, and the session goes on in "
                f"{writer.path.name}"
            )
        self.close()
        self._keep(session, writer)
        return session

    def replay(self, path: Path) -> Session:
        """Replay a saved session and return to its start; further actions are not saved.

        Raises:
            BadSessionFile: the file cannot be read.
        """
        from gradstep.actions import GoTo
        from gradstep.saving.reader import read_session_file

        session = self._replayed(read_session_file(path), self.has_given_up)
        session.apply(GoTo(0))
        return session

    def offer(self) -> Offer | None:
        """Return an earlier session that can be resumed: one that was not closed properly, or the last one.

        None if there is none, or if sessions are not offered.

        If a session file cannot be read, `notice` says what is wrong with it.
        """
        if not self.offers:
            return None
        from gradstep.saving.session_folder import Store

        store = Store()
        self.notice = self.notice.also(hint(bounds_notice(store)))
        offer, bad = unfinished_offer(store)
        if bad:
            self.notice = warning(bad)
        if offer is None and self._started is not None:
            return closed_offer(store, None if self.offers_any else self._started.problem)
        return offer

    def decline(self, offer: Offer) -> None:
        """Mark an offered session as closed, so that it is not offered again; its file stays."""
        with suppress(EngineError):  # another program may have opened the session by now
            self._reopened(offer.path, "declined").close()

    @property
    def trouble(self) -> str:
        """Reason the last save failed, or an empty string."""
        return "" if self._writer is None else self._writer.trouble

    @property
    def saved_as(self) -> Path | None:
        """File of the session, or of the one before if nothing was done in this one; None for neither."""
        path = None if self._writer is None else self._writer.path
        return path or self._left

    def flush(self) -> None:
        """Wait until all actions so far are written to the file."""
        if self._writer is not None:
            self._writer.flush()

    def settle(self) -> None:
        """Wait until all actions so far are written to the file, but not long for a slow disk."""
        if self._writer is not None and not self._writer.is_settled:
            self._writer.flush(SETTLING)

    def give_up(self) -> None:
        """Stop waiting for a script that is being loaded, which may run for ever."""
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
        """Finish saving, and mark the session as closed properly."""
        if self._writer is not None:
            self._writer.close()

    def _reopened(self, path: Path, name: str, warn: Callable[[str], None] | None = None) -> SessionWriter:
        """Open a session file to continue it; if its end is missing, continue in a new file instead.

        Args:
            path: Path of the session file.
            name: Name for a new file.
            warn: Called with the reason once saving fails.
        """
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
        self._writer, self._origin = writer, session.origin

    def _replayed(self, saved: SavedSession, stopped: Callable[[], bool]) -> Session:
        from gradstep.saving.replay import replay

        self.allowed(saved.header.start)
        replayed = replay(saved, stopped=lambda: stopped() or self.has_given_up())
        if replayed.done < len(saved.actions):
            raise EngineError("resuming was stopped: the session file is unchanged")
        if replayed.mismatch is not None:
            self.notice = warning(f"the replay gave different numbers: {replayed.mismatch.message}")
        else:
            actions = f"{replayed.done:,} action{'s' * (replayed.done != 1)}"
            self.notice = success(f"the session is resumed: {actions} replayed, all numbers identical")
        return replayed.session

    def _told(self, trouble: str) -> None:
        if self._warn is not None:
            self._warn(trouble)


def session_file(given: Path | None) -> Path | None:
    """Return the file of a session that is given by its path, or by its name in the folder of sessions."""
    from gradstep.saving.session_folder import Store
    from gradstep.saving.session_list import session_named

    if given is not None and given.name == str(given) and not given.exists():
        with suppress(EngineError):  # resuming says that there is no such file
            return session_named(Store(), given.name)
    return given


def left_text(path: Path, start: Start) -> str:
    """Return where a session is saved that another one took the place of, and how to resume it.

    Args:
        path: The session's file.
        start: Its start, with the digests of its files.
    """
    from gradstep.saving.session_folder import Store

    if not is_unchanged(start):
        return LEFT_CHANGED.format(name=path.stem, file=Path(start.problem).name)
    name = path.stem if path.parent == Store().folder else shlex.quote(str(path))
    return LEFT.format(name=name)


def saved_title(path: Path | None) -> str:
    """Return words for the script that runs when a session is resumed; empty if none does, or none is known.

    Args:
        path: Path of the session file; None for the file that was written to last.
    """
    from gradstep.saving.session_folder import Store
    from gradstep.saving.session_list import listed_session

    with suppress(EngineError, OSError):  # resuming says what is wrong with it
        path = path or Store().newest()
        header = None if path is None else listed_session(path).header
        return "" if header is None else resuming_title(header.start)
    return ""
