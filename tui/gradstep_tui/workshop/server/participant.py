"""A learner's place in the class, whether the learner is there or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gradstep_tui.workshop.wire.messages import Facts, Feed, Row, ToChild, Told

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import Did, Role

REMEMBERED: Final = 20
"""Messages that can be read again."""

Send = Callable[[ToChild], None]


@dataclass(eq=False, slots=True)
class Desk:
    """What the server knows of a learner, or of an instructor."""

    name: str
    role: Role
    start: Start
    session: int = 0
    """The number of the session in the store; 0 where its beginning is not kept yet."""

    actions: list[Action] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Which of them PyTorch refused, counted from 0."""

    facts: Facts = field(default_factory=Facts)
    unsaved: list[tuple[Action, Facts]] = field(default_factory=list)
    """The last actions, where they are not kept yet."""

    noted: bool = True
    """Whether the resume code was read; a name whose owner never saw it is free again."""

    doing: str = ""
    """An action that is under way, in words; empty where none is that takes a while."""

    trouble: str = ""
    """Why they are not; empty while all is well."""

    at: float = field(default_factory=time.time)
    """When something was done last, in seconds since 1970."""

    hand: float = 0.0
    """Since when a hand is up, in seconds since 1970; 0 where it is not."""

    allows: bool = True
    """Whether it may be watched."""

    told: deque[Told] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    missed: int = 0
    """How many of those came while nobody was logged in."""

    send: Send | None = None
    """What reaches the process; None while nobody is logged in."""

    looks_at: str = ""
    """Whose session this one is shown; empty for the own."""

    invited: bool = False
    """Whether that is because its owner presents."""

    @property
    def here(self) -> bool:
        """Whether somebody is logged in."""
        return self.send is not None

    @property
    def feed(self) -> Feed:
        """The session as it stands, for somebody who looks at it."""
        return Feed(self.name, self.start, tuple(self.actions), tuple(self.refused), self.here)

    def row(self, watchers: int) -> Row:
        """Give the learner's row on the board."""
        return Row(
            name=self.name,
            online=self.here,
            problem=self.start.title,
            facts=replace(self.facts, done=f"now {self.doing}") if self.doing else self.facts,
            at=self.at,
            hand=self.hand,
            allows=self.allows,
            watched=watchers,
            following=self.invited,
        )

    def to(self, message: ToChild) -> None:
        """Tell the process; nothing where there is none."""
        if self.send is not None:
            self.send(message)

    def begin(self, start: Start) -> None:
        """Put another session in the place of the one before; what the learner has seen stays."""
        self.start, self.session = start, 0
        self.actions, self.refused, self.unsaved = [], [], []
        self.facts, self.at, self.doing = Facts(seen=self.facts.seen), time.time(), ""

    def did(self, done: Did) -> None:
        """Add an action."""
        if done.facts.error:
            self.refused.append(len(self.actions))
        self.actions.append(done.action)
        self.unsaved.append((done.action, done.facts))
        self.facts, self.at, self.doing = done.facts, time.time(), ""


def desks_in(store: Store) -> dict[str, Desk]:
    """Give everybody who has a session in a store, by name."""
    desks = {}
    for one in store.learners():
        kept = store.session(one.name)
        if kept is not None:
            desk = Desk(one.name, one.role, kept.start, kept.number, [*kept.actions], [*kept.refused])
            desk.facts = replace(kept.facts, seen=tuple(one.seen))
            desk.hand, desk.allows = one.hand, one.allows
            desk.told.extend(one.told)
            desk.missed = one.missed
            desk.at = kept.at or desk.at
            desks[one.name] = desk
    return desks
