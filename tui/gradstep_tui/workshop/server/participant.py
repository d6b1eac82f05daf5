"""Participants of a workshop as the server keeps them, logged in or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import REMEMBERED, ActionRefused, Feed, Row, ToBench, Told, Welcome

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import ActionDone, Role

Send = Callable[[ToBench], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Texts that a bench shows, about the login and about the way back."""

    resume_code: str = ""
    """Resume code at the first login; empty later."""

    exports: str = ""
    """Folder for exports."""

    fetch: str = ""
    """An `scp` command that fetches a file; `{file}` is a placeholder."""

    again: str = ""
    """The `ssh` command that logs in again."""


@dataclass(eq=False, slots=True)
class Participant:
    """A learner or an instructor, with the session."""

    name: str
    role: Role
    start: Start
    session: int = 0
    """Number of the session in the database; 0 until the session is stored."""

    actions: list[Action] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Indices of the actions that PyTorch refused, counted from 0."""

    facts: Facts = field(default_factory=Facts)
    unsaved: list[tuple[Action, Facts]] = field(default_factory=list)
    """The last actions, if they could not be stored yet."""

    noted: bool = True
    """Whether the resume code was confirmed; otherwise the name becomes free again at the logout."""

    last: Action | None = None
    """The last action that has ended; None at the start of a session."""

    doing: Action | None = None
    """The action that is running, if it takes a while; None otherwise."""

    trouble: str = ""
    """The database's error if the last actions could not be stored; empty otherwise."""

    at: float = field(default_factory=time.time)
    """Time of the last action, in seconds since 1970."""

    hand: float = 0.0
    """Time at which the hand was raised, in seconds since 1970; 0 if it is down."""

    allows: bool = True
    """Whether an instructor may watch."""

    told: deque[Told] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """The last messages of instructors, the oldest first."""

    missed: int = 0
    """Number of messages that arrived while the participant was logged out."""

    send: Send | None = None
    """Sends a message to the bench process; None while the participant is logged out."""

    looks_at: str = ""
    """Name of the participant whose session is in the feed; empty without a feed."""

    invited: bool = False
    """Whether the feed is that of the presenter."""

    @property
    def here(self) -> bool:
        """Whether the participant is logged in."""
        return self.send is not None

    @property
    def feed(self) -> Feed:
        """The whole session, for somebody who looks at it."""
        return Feed(self.name, self.start, tuple(self.actions), tuple(self.refused), self.here)

    def welcome(self, login: Login, watchers: int, presenter: str) -> Welcome:
        """Return the first message to a new bench.

        Args:
            login: Texts for the bench.
            watchers: Number of instructors who watch.
            presenter: Name of the instructor who presents; empty if nobody does.
        """
        return Welcome(
            name=self.name,
            role=self.role,
            start=self.start,
            actions=tuple(self.actions),
            refused=tuple(self.refused),
            seen=self.facts.seen,
            resume_code=login.resume_code,
            exports=login.exports,
            fetch=login.fetch,
            again=login.again,
            watched=watchers,
            presenter=presenter,
            hand=bool(self.hand),
            allows=self.allows,
            told=tuple(self.told),
            missed=self.missed,
            trouble=self.trouble,
        )

    def row(self, watchers: int) -> Row:
        """Return the learner's row on the board, with the number of instructors who watch."""
        return Row(
            name=self.name,
            online=self.here,
            problem=self.start.title,
            facts=self.facts,
            at=self.at,
            action=self.last if self.doing is None else self.doing,
            running=self.doing is not None,
            hand=self.hand,
            allows=self.allows,
            watched=watchers,
            following=self.invited,
        )

    def to(self, message: ToBench) -> None:
        """Send a message to the bench process, if there is one."""
        if self.send is not None:
            self.send(message)

    def begin(self, start: Start) -> None:
        """Replace the session by a new one; the milestones stay."""
        self.start, self.session = start, 0
        self.actions, self.refused, self.unsaved = [], [], []
        self.facts = Facts(seen=self.facts.seen)
        self._ended(None)

    def started(self, action: Action) -> None:
        """Set the action that is running."""
        self.doing, self.at = action, time.time()

    def did(self, done: ActionDone) -> None:
        """Append an action to the session."""
        if done.facts.refusal is not None:
            self.refused.append(len(self.actions))
        self.actions.append(done.action)
        self.unsaved.append((done.action, done.facts))
        self.facts = done.facts
        self._ended(done.action)

    def tried(self, refused: ActionRefused) -> None:
        """Set the last action to one that PyTorch refused, and that did not change the session."""
        self.facts = replace(self.facts, refusal=refused.refusal)
        self._ended(refused.action)

    def _ended(self, action: Action | None) -> None:
        self.last, self.doing, self.at = action, None, time.time()


def stored_participants(store: Store) -> dict[str, Participant]:
    """Return everybody who has a session in the database, by name."""
    participants = {}
    for learner in store.learners():
        stored = store.session(learner.name)
        if stored is None:
            continue
        participant = participants[learner.name] = Participant(
            name=learner.name,
            role=learner.role,
            start=stored.start,
            session=stored.number,
            actions=[*stored.actions],
            refused=[*stored.refused],
            facts=replace(stored.facts, seen=learner.seen),
            last=stored.actions[-1] if stored.actions else None,
            hand=learner.hand,
            allows=learner.allows,
            missed=learner.missed,
        )
        participant.told.extend(learner.told)
        participant.at = stored.at or participant.at
    return participants
