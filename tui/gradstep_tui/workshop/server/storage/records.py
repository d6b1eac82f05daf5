"""What the database returns about participants and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradstep.errors import EngineError

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.names import Claim
    from gradstep_tui.workshop.wire.facts import Facts
    from gradstep_tui.workshop.wire.messages import Told
    from gradstep_tui.workshop.wire.reasons import AsideReason


@dataclass(frozen=True, slots=True)
class Learner:
    """The owner of a name."""

    claim: Claim
    hand: float
    """Time at which the hand was raised, in seconds since 1970; 0 if it is down."""

    allows: bool
    """Whether an instructor may watch."""

    seen: tuple[str, ...]
    """Identifiers of the milestones that the learner has reached."""

    told: tuple[Told, ...]
    """The last messages of instructors, the oldest first."""

    missed: int
    """Number of messages that arrived while the learner was logged out."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A session that is kept, but cannot be continued."""

    session: int
    """Number of the session in the database; 0 if it is unknown."""

    reason: AsideReason
    why: str
    """The error message."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A learner's session, complete enough to be made again bit for bit."""

    number: int
    """Number of the session in the database."""

    start: Start
    actions: tuple[Action, ...]
    refused: tuple[int, ...]
    """Indices of the actions that PyTorch refused, counted from 0."""

    facts: Facts
    """Facts after the last action."""

    at: float | None
    """Time of the last action, in seconds since 1970; None if there is none."""


class UnreadableSessionError(EngineError):
    """A stored session cannot be read: it is damaged, or was written by a newer version of the program."""

    def __init__(self, number: int, why: str) -> None:
        """Carry the session's number in the database, 0 if that is unknown, and the reason."""
        super().__init__(f"session {number} cannot be read: {why}")
        self.number, self.why = number, why
