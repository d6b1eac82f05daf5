"""Keeps a learner's session with the server, which keeps it for when the learner comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import BadInput
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.session.autosave import Keeper
from gradstep_tui.workshop.bench.sandboxed_app import NO_SCRIPTS, FolderExports, Written
from gradstep_tui.workshop.wire.facts import clean, facts_of
from gradstep_tui.workshop.wire.messages import Began, Did, Exported, Tried, Welcome
from gradstep_tui.workshop.wire.milestones import seen_in

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.session import Session
    from gradstep.training.state import State
    from gradstep_tui.workshop.bench.session.server_link import Link


_READY: dict[Start, Session] = {}
"""Sessions that nobody has begun, made before this process was copied."""


def make_ready() -> None:
    """Make a session of every built-in problem, for copies of this process to take: they share its memory."""
    from gradstep import problems

    for name in problems.names():
        start = Start(name)
        _READY[start] = open_session(start)


class ClassKeeper(Keeper):
    """Tells the server of a new session, and of every action."""

    def __init__(self, link: Link, welcome: Welcome) -> None:
        """Begin with what `welcome` tells."""
        super().__init__()
        self.offers = False
        self._link, self._welcome = link, welcome
        self._seen = frozenset(welcome.seen)
        self.told_trouble = welcome.trouble
        """Why the server keeps nothing just now; empty while all is well."""

    @property
    def trouble(self) -> str:
        """Why nothing is kept any more; empty while all is well."""
        if self._link.broken:
            return "the line to the workshop is lost: nothing is kept any more"
        return self.told_trouble

    def rejoin(self) -> Session:
        """Make the session that the learner left, or a first one."""
        session = session_of(
            self._welcome.start, self._welcome.actions, self._welcome.refused, self._given_up.is_set
        )
        if self._welcome.actions:
            self.notice = f"welcome back, {self._welcome.name}: everything is as you left it"
        self._seen = seen_in(session.state, self._seen)
        return self._watched(session)

    def begin(self, start: Start, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Begin another session.

        Raises:
            EngineError: there is no such problem, or it is a learner's own.
        """
        if start.has_file:
            raise BadInput(NO_SCRIPTS)
        session = open_session(start, stopped)
        self._link.send(Began(session.origin or start))
        return self._watched(session)

    def close(self) -> None:
        """Nothing is left to write."""

    def _watched(self, session: Session) -> Session:
        session.watch, session.tried = self._tell, self._tell_tried
        return session

    def _tell_tried(self, action: Action, refused: str) -> None:
        self._link.send(Tried(action, clean(refused)))

    def _tell(self, action: Action, state: State, refused: str) -> None:
        self._seen = seen_in(state, self._seen)
        self._link.send(Did(action, facts_of(action, state, refused, sorted(self._seen))))


class ClassExports(FolderExports):
    """Files go into the learner's own folder on the server, from where `scp` fetches them."""

    def __init__(self, link: Link, welcome: Welcome, tell: Callable[[Written], object]) -> None:
        """Use the folder that `welcome` names."""
        super().__init__(Path(welcome.exports), tell)
        self._link, self._fetch = link, welcome.fetch

    def words(self, names: Sequence[str]) -> str:
        """Say how to fetch them; the notebook is the one that is wanted most."""
        self._link.send(Exported(tuple(names)))
        chosen = next((name for name in names if name.endswith(".ipynb")), names[0])
        return f"fetch it with: {self._fetch.replace('{file}', chosen)}"


def session_of(
    start: Start, actions: Sequence[Action], refused: Sequence[int], stopped: Callable[[], bool]
) -> Session:
    """Make a session that was left.

    Raises:
        Refused: it is one of a learner's own files.
    """
    from gradstep.saving.replay import repeat

    if start.has_file:
        raise BadInput(NO_SCRIPTS)
    session = _READY.pop(start, None) or open_session(start, stopped)
    repeat(session, actions, frozenset(refused), stopped)
    return session
