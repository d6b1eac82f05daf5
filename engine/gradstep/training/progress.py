"""How far a run of epochs has come, told while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gradstep.training.loss_history import Losses


@dataclass(frozen=True, slots=True)
class Progress:
    """A run under way. `losses` shares the buffer that the run appends to, so every look at it sees more."""

    count: int
    """How many epochs were asked for."""

    first: int
    """Epochs that had run before it."""

    losses: Losses
    started: float
    """`time.monotonic()` at its start."""

    without_loss: int = 0
    """Epochs done by now, where the loop computes no loss that could tell."""

    comparing: bool = False
    """Whether it is a twin, or another branch, that runs; the session stands still."""

    @property
    def curve(self) -> Losses:
        """The losses by now."""
        return self.losses.grown()

    @property
    def done(self) -> int:
        """Epochs done by now, as far as their losses tell."""
        return min(max(len(self.losses.grown()) - self.first, self.without_loss), self.count)

    @property
    def rate(self) -> float:
        """Epochs per second; 0 at the very start."""
        seconds = time.monotonic() - self.started
        return self.done / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest will take at this rate; None where none is known yet."""
        return (self.count - self.done) / self.rate if self.rate > 0 else None
