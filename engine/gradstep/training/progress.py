"""Progress of a run of epochs, while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gradstep.training.loss_history import Losses


@dataclass(frozen=True, slots=True)
class Progress:
    """A run of epochs under way."""

    count: int
    """Number of epochs of the run."""

    first: int
    """Number of epochs before the run."""

    losses: Losses
    """Losses of the session's epochs so far, in the buffer to which the run appends, so it grows."""

    started: float
    """`time.monotonic()` at the start of the run."""

    without_loss: int = 0
    """Number of epochs done so far, if the loop computes no loss; else 0."""

    comparing: bool = False
    """Whether the run is a twin's or another branch's; the session itself does not change."""

    @property
    def curve(self) -> Losses:
        """Losses so far."""
        return self.losses.grown()

    @property
    def done(self) -> int:
        """Number of epochs done so far, counted by their losses."""
        return min(max(len(self.losses.grown()) - self.first, self.without_loss), self.count)

    @property
    def rate(self) -> float:
        """Epochs per second; 0 at the very start."""
        seconds = time.monotonic() - self.started
        return self.done / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the run ends at this rate; None at the very start."""
        return (self.count - self.done) / self.rate if self.rate > 0 else None
