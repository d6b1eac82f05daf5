"""Has the server store a participant's session, so that it can be continued at the next login."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.session.autosave import Autosave
from gradstep_tui.text.remarks import success, warning
from gradstep_tui.workshop.bench.session.built_in import require_built_in
from gradstep_tui.workshop.bench.session.folder_exports import FilesWritten, FolderExports
from gradstep_tui.workshop.wire.facts import LONGEST, facts_of, refusal_of
from gradstep_tui.workshop.wire.messages import (
    ActionDone,
    ActionRefused,
    FilesExported,
    SessionBegan,
    SessionContinued,
    Welcome,
)
from gradstep_tui.workshop.wire.milestones import seen_in
from gradstep_tui.workshop.wire.reasons import AsideReason

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.errors import EngineError
    from gradstep.session import Session
    from gradstep.training.pytorch_errors import PyTorchError
    from gradstep.training.state import TrainingState
    from gradstep_tui.workshop.bench.session.server_link import ServerLink
    from gradstep_tui.workshop.wire.facts import Facts

CONNECTION_LOST: Final = "the connection to the workshop is lost: what you do from now on is not saved"
NOT_STORED: Final = "the workshop cannot store your session at the moment: {error}"

SET_ASIDE: Final[Mapping[AsideReason, str]] = {
    AsideReason.UNREADABLE: "the server cannot read your last session and keeps it: this is a new one",
    AsideReason.FAILED: "your last session could not be made again; the server keeps it: this is a new one",
    AsideReason.CRASHED: "your last session crashed the bench; the server keeps it: this is a new one",
}
"""Notice for each reason for which a learner has a new session in place of the last one."""

_READY: dict[Start, Session] = {}
"""Sessions that were made before this process was forked, by their start."""


def make_sessions() -> None:
    """Make a session of every built-in problem. Forked processes use them, and share their memory."""
    from gradstep import problems

    for name in problems.names():
        start = Start(name)
        _READY[start] = open_session(start)


class ServerAutosave(Autosave):
    """Reports new sessions and every action to the server."""

    def __init__(self, link: ServerLink, welcome: Welcome) -> None:
        """Continue the session that `welcome` describes."""
        super().__init__()
        self.offers = False
        self._link, self._welcome = link, welcome
        self._seen = frozenset(welcome.seen)
        self.storage_error = welcome.trouble
        """The database's error if the server cannot store the session at the moment; empty otherwise."""

    @property
    def trouble(self) -> str:
        """Sentence that says why the session is not saved at the moment; empty if it is."""
        if self._link.broken:
            return CONNECTION_LOST
        return NOT_STORED.format(error=self.storage_error) if self.storage_error else ""

    @property
    def keeps_all(self) -> bool:
        """The server keeps one session of each learner."""
        return False

    def rejoin(self) -> Session:
        """Return the session that the learner left, or a new one.

        If the session cannot be made again, the server keeps it, and the learner gets a new one.

        Raises:
            EngineError: the learner has given up waiting, or not even a new session can be made.
        """
        welcome = self._welcome
        try:
            session = session_of(welcome.start, welcome.actions, welcome.refused, self.has_given_up)
        except Exception as error:  # whatever it is, the next login must not fail in the same way
            if self.has_given_up():
                raise
            self.notice = warning(SET_ASIDE[AsideReason.FAILED])
            failed = f"{type(error).__name__}: {error}"[:LONGEST]
            return self._began(welcome.default_start, open_session(welcome.default_start), failed)
        differences = _differences(session, welcome.facts)
        self._link.send(SessionContinued(differences))
        if welcome.set_aside is not None:
            self.notice = warning(SET_ASIDE[welcome.set_aside])
        elif differences:
            self.notice = warning(
                f"welcome back, {welcome.name}: not all is as you left it: {'; '.join(differences)}"
            )
        elif welcome.actions:
            self.notice = success(f"welcome back, {welcome.name}: everything is as you left it")
        self._seen = seen_in(session.state, self._seen)
        return self._watched(session)

    def begin(self, start: Start, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Begin another session.

        Raises:
            EngineError: there is no such problem, or the start would run a file.
        """
        return self._began(start, open_session(require_built_in(start), stopped))

    def close(self) -> None:
        """Do nothing: every action has been reported already."""

    def _began(self, start: Start, session: Session, failed: str = "") -> Session:
        """Tell the server of a new session; `failed` says why the one before cannot be continued."""
        self._link.send(SessionBegan(session.origin or start, failed))
        return self._watched(session)

    def _watched(self, session: Session) -> Session:
        session.watch, session.tried = self._report_done, self._report_refused
        return session

    def _report_refused(self, action: Action, error: PyTorchError) -> None:
        self._link.send(ActionRefused(action, refusal_of(error)))

    def _report_done(self, action: Action, state: TrainingState, error: EngineError | None) -> None:
        self._seen = seen_in(state, self._seen)
        self._link.send(ActionDone(action, facts_of(state, error, sorted(self._seen))))


class ServerExports(FolderExports):
    """Writes exports into the learner's folder on the server, from which `scp` fetches them."""

    def __init__(self, link: ServerLink, welcome: Welcome, post: Callable[[FilesWritten], object]) -> None:
        """Write into the folder that `welcome` names; `post` is called from a worker thread after that."""
        super().__init__(Path(welcome.exports), post)
        self._link, self._fetch = link, welcome.fetch

    def words(self, names: Sequence[str]) -> str:
        """Return a sentence with the command that fetches one of the files, the notebook if there is one."""
        self._link.send(FilesExported(tuple(names)))
        chosen = next((name for name in names if name.endswith(".ipynb")), names[0])
        return f"fetch it with: {self._fetch.replace('{file}', chosen)}"


def _differences(session: Session, kept: Facts | None) -> tuple[str, ...]:
    """Return what is not as it was when the session was left, as far as that is known."""
    if kept is None:
        return ()
    made = facts_of(session.state, None, ())
    found = []
    if made.epoch != kept.epoch:
        found.append(f"{made.epoch:,} epochs are done, and there were {kept.epoch:,}")
    if made.loss != kept.loss:
        found.append(f"the loss is {made.loss}, and it was {kept.loss}")
    if made.phase != kept.phase:
        found.append("another step comes next")
    return tuple(found)


def session_of(
    start: Start, actions: Sequence[Action], refused: Sequence[int], stopped: Callable[[], bool]
) -> Session:
    """Return a session in which recorded actions were done again.

    Args:
        start: Start of the session.
        actions: The actions.
        refused: Indices of those that PyTorch refused, counted from 0.
        stopped: Polled between actions; True ends the work.

    Raises:
        BadInput: the start would run a file.
    """
    from gradstep.saving.replay import repeat

    require_built_in(start)
    session = _READY.pop(start, None) or open_session(start, stopped)
    repeat(session, actions, frozenset(refused), stopped)
    return session
