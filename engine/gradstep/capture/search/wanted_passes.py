"""What a run of a script looks for besides a `backward` inside a loop."""

from __future__ import annotations

from dataclasses import dataclass

from gradstep.capture.search.lone_passes import LonePass
from gradstep.capture.search.missed import LoopKey, Missed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for besides a `backward` inside a loop; nothing in the first run of a script."""

    takes_grad: bool = False
    """Whether a loop around `torch.autograd.grad` counts."""

    lone: LonePass | None = None
    """A pass outside of any loop whose statements are a loop of one round; None if none is known yet."""

    loops: frozenset[LoopKey] = frozenset()
    """Loops that are watched whatever their texts tell."""

    missed: Missed | None = None
    """What the run before missed."""
