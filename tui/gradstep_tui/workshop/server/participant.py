"""Participants of a workshop as the server keeps them, logged in or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gradstep_tui.workshop.server.storage.records import Aside, UnreadableSessionError
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import REMEMBERED, ActionRefused, Feed, Row, ToBench, Told, Welcome
from gradstep_tui.workshop.wire.reasons import AsideReason

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.names import Claim
    from gradstep_tui.workshop.server.storage.records import Learner
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import ActionDone, Role

Send = Callable[[ToBench], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Texts that a bench shows, about the login and about the way back."""

    resume_code: str = ""
    """Resume code at the first login; empty later."""

    offered: tuple[str, ...] = ()
    """Fingerprints of the keys that the client has offered."""

    exports: str = ""
    """Folder for exports."""

    fetch: str = ""
    """An `scp` command that fetches a file; `{file}` is a placeholder."""

    again: str = ""
    """The `ssh` command that logs in again."""

    host_key: str = ""
    """Fingerprint of the server's key."""


@dataclass(eq=False, slots=True)
class Participant:
    """A learner or an instructor, with the session."""

    claim: Claim
    """Claim to the name: another participant, who gets the same name later, has another claim."""

    start: Start
    session: int = 0
    """Number of the session in the database; 0 until the session is stored."""

    actions: list[Action] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Indices of the actions that PyTorch refused, counted from 0."""

    facts: Facts = field(default_factory=Facts)
    unsaved: list[tuple[Action, Facts]] = field(default_factory=list)
    """The last actions, if they could not be stored yet."""

    aside: Aside | None = None
    """The session before, if it is kept but cannot be continued; None once that is in the database."""

    continuing: bool = False
    """Whether the bench has yet to make the session again; if it crashes, the session may be the cause."""

    crashes: int = 0
    """Number of benches that crashed in a row while they made the session again."""

    noted: bool = False
    """Whether the resume code was confirmed, although that is not in the database yet."""

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

    offered: tuple[str, ...] = ()
    """Fingerprints of the keys that the client has offered at this login."""

    keys: tuple[str, ...] = ()
    """Fingerprints of the keys that log in as this participant."""

    looks_at: str = ""
    """Name of the participant whose session is in the feed; empty without a feed."""

    looks_since: float = 0.0
    """Time at which the feed began, in seconds since 1970."""

    invited: bool = False
    """Whether the feed is that of the presenter."""

    @property
    def name(self) -> str:
        """User name."""
        return self.claim.name

    @property
    def role(self) -> Role:
        """Role in the class."""
        return self.claim.role

    @property
    def here(self) -> bool:
        """Whether the participant is logged in."""
        return self.send is not None

    @property
    def feed(self) -> Feed:
        """The whole session, for somebody who looks at it."""
        return Feed(self.name, self.start, tuple(self.actions), tuple(self.refused), self.here)

    def welcome(
        self,
        login: Login,
        default_start: Start,
        watchers: int,
        presenter: str,
        set_aside: Aside | None,
    ) -> Welcome:
        """Return the first message to a new bench.

        Args:
            login: Texts for the bench.
            default_start: Start of a session that takes the place of one that cannot be continued.
            watchers: Number of instructors who watch.
            presenter: Name of the instructor who presents; empty if nobody does.
            set_aside: The session before, if the learner has not heard yet that it is set aside.
        """
        return Welcome(
            name=self.name,
            role=self.role,
            start=self.start,
            actions=tuple(self.actions),
            refused=tuple(self.refused),
            default_start=default_start,
            set_aside=None if set_aside is None else set_aside.reason,
            facts=self.facts if self.actions else None,
            seen=self.facts.seen,
            resume_code=login.resume_code,
            offered=login.offered,
            keys=self.keys,
            exports=login.exports,
            fetch=login.fetch,
            again=login.again,
            host_key=login.host_key,
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
            keys=self.keys,
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


def stored_participants(
    store: Store, default_start: Start, log: Callable[..., None]
) -> dict[str, Participant]:
    """Return everybody who has a session in the database, by name.

    Whoever has a session that cannot be read gets a new one; the stored one is kept.

    Args:
        store: The database.
        default_start: Start of a new session.
        log: Called with the name of an event and its facts.

    Raises:
        StoreError: the database cannot be read.
    """
    participants = {}
    for learner in store.learners():
        try:
            participant = _stored(learner, store)
        except UnreadableSessionError as error:
            log("set aside", name=learner.claim.name, session=error.number, why=error.why)
            aside = Aside(error.number, AsideReason.UNREADABLE, error.why)
            participant = Participant(learner.claim, default_start, aside=aside)
            participant.facts = Facts(seen=learner.seen)
        if participant is not None:
            participant.hand, participant.allows = learner.hand, learner.allows
            participant.missed = learner.missed
            participant.told.extend(learner.told)
            participants[participant.name] = participant
    return participants


def _stored(learner: Learner, store: Store) -> Participant | None:
    """Return a participant with the stored session; None if there is none.

    Raises:
        UnreadableSessionError: the session cannot be read.
    """
    stored = store.session(learner.claim.name)
    if stored is None:
        return None
    participant = Participant(
        learner.claim,
        stored.start,
        session=stored.number,
        actions=[*stored.actions],
        refused=[*stored.refused],
        facts=replace(stored.facts, seen=learner.seen),
        last=stored.actions[-1] if stored.actions else None,
    )
    participant.at = stored.at or participant.at
    return participant
