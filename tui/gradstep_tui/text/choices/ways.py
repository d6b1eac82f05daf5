"""Ways to go through the samples: the name of each, and what an epoch does in it, in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gradstep.loop.batches import FULL, Batches

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck, Trial


@dataclass(frozen=True, slots=True)
class BatchWay:
    """A row of the list of ways."""

    name: str
    words: str
    """What an epoch does, in a few words."""

    batches: Batches
    """The way, without the size of its parts."""

    zeroed_inside: bool = False
    """Whether the loop zeroes the gradients after each part; a loop has to be edited for that."""

    def of(self, size: int, now: Batches = FULL) -> Batches:
        """Return the way with parts of some samples, in the order of `now` if that goes the same way."""
        if self.batches.full:
            return FULL
        return replace(now if self.fits(now) else self.batches, size=size)

    def fits(self, batches: Batches) -> bool:
        """Return whether some batches go this way, whatever their size and seed."""
        shuffle = batches.shuffle and batches.way == "mini"
        return not self.zeroed_inside and self.batches == replace(batches, size=0, seed=0, shuffle=shuffle)


WAYS: Final[Sequence[BatchWay]] = (
    BatchWay("full batch", "one update, along all samples", FULL),
    BatchWay("micro by share", "parts add up to all; one update", Batches("micro")),
    BatchWay("micro by number", "each part counts alike; one update", Batches("micro", weight="parts")),
    BatchWay("micro undivided", "not divided: often too long a step", Batches("micro", weight="none")),
    BatchWay("mini in order", "an update after each part", Batches("mini")),
    BatchWay("mini shuffled", "the same, in a new order each time", Batches("mini", shuffle=True)),
    BatchWay("micro, zeroed", "a mistake: only the last part stays", Batches("micro"), zeroed_inside=True),
)
"""All ways, the default first; the last one is only compared."""

JUST_COMPARED: Final = (
    "The last row is there to compare: choose the first kind of micro-batches, then move zero by hand."
)


def trial_of(way: BatchWay, found: BatchCheck | None) -> Trial | None:
    """Return the trial of a way in a check; None if there is none."""
    trials = () if found is None else found.trials
    tried = (trial for trial in trials if trial.zeroed_inside is way.zeroed_inside)
    kind = replace(way.batches, size=0)
    return next((trial for trial in tried if replace(trial.batches, size=0) == kind), None)


def place_of(batches: Batches) -> int:
    """Return the index in `WAYS` of the way that some batches go."""
    return next(place for place, way in enumerate(WAYS) if way.fits(batches))
