"""Immutable copies of what a script's loop holds, with the way back to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from torch import Tensor

from gradstep.capture.loop_moments import LoopMoment
from gradstep.training.snapshots import ForwardPass, Snapshot

ZERO_ALL: Final = -1
"""Key of a statement that no script has: it sets every `.grad` to None."""


@dataclass(frozen=True, slots=True)
class RateSet:
    """A learning rate that was set in the middle of a round."""

    rate: float


Ran: TypeAlias = tuple[int | RateSet, ...]
"""What ran since the begin of a round, in order: keys of statements, and rates that were set."""


@dataclass(frozen=True, slots=True, eq=False)
class PastRounds:
    """Rounds in a row that ran the same, with those before them; what is shared is not copied."""

    before: PastRounds | None
    count: int
    """Number of rounds; 0 for what came before the rest of the next: a rate, or statements up to an error."""

    ran: Ran | None
    """What each of them ran; None for the script's own round."""

    def and_then(self, count: int, ran: Ran | None) -> PastRounds:
        """Return these rounds followed by others."""
        if self.count and self.ran == ran:
            return PastRounds(self.before, self.count + count, ran)
        return PastRounds(self, count, ran)

    def in_order(self) -> Iterator[PastRounds]:
        """Yield these rounds and those before them, the oldest first."""
        found: list[PastRounds] = []
        past: PastRounds | None = self
        while past is not None:
            found.append(past)
            past = past.before
        yield from reversed(found)


NO_ROUNDS = PastRounds(None, 0, ())


@dataclass(frozen=True, slots=True, eq=False)
class ScriptSnapshot(Snapshot):
    """Copies of parameters, gradients and optimizer state, and the way back to the state of the script."""

    moment: LoopMoment | None = None
    """Begin of the round; None if it was not kept, as at the end of the loop."""

    ran: Ran = ()

    passed: ForwardPass | None = None
    """What the first pass of the round under way differentiated: the round's loss; None before that pass."""

    past: PastRounds = NO_ROUNDS
    """Rounds that are over."""

    def numbers(self) -> Iterator[Tensor]:
        """Yield all tensors that are kept, with those for the way back."""
        yield from Snapshot.numbers(self)
        if self.moment is not None:
            yield from self.moment.copies
