"""Rules that read a list of losses: does the loss rise for good, or does it hardly move at all?

A loss may rise for a while and all be well: mini-batches differ, and momentum carries a step too far. So the
rules ask the more, the more a rise can mean something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

WINDOW: Final = 256
"""Newest losses that the rules look at."""

MATTERS: Final = 0.01
"""Part of the highest loss that a loss must reach before its rise matters: rounding moves tiny losses."""

FEWEST: Final = 20
"""Fewest epochs of a run that can show that the loss hardly moves."""

SWING: Final = 2
"""Multiple of the last loss that an earlier one, after the smallest, must exceed to count as a swing."""

STILL: Final = 0.01
"""Part of a loss by which it changes at most if it hardly moves."""


class Descent(Enum):
    """How the losses of epochs follow from each other, as far as it is known."""

    PLAIN = "plain"
    """Every epoch has the same samples, and each step goes against the gradient alone."""

    CARRIED = "carried"
    """Every epoch has the same samples, and steps also carry on what earlier gradients left."""

    MIXED = "mixed"
    """The samples of an epoch or round may differ from those of the one before."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise at the end of a list of losses."""

    count: int
    """Losses in a row that are each larger than the one before."""

    first: float
    """Loss before the first of them."""

    last: float
    """The newest loss."""


def rise_at_end(losses: Sequence[float]) -> Rise | None:
    """Return the rise at the end of losses; None if the last loss is not larger than the one before."""
    numbers = np.asarray(losses[-WINDOW:], dtype=np.float64)
    if len(numbers) < 2 or not np.isfinite(numbers[-1]):
        return None
    rises = numbers[1:] > numbers[:-1]  # never beside a nan
    count = len(rises) if rises.all() else int(np.argmin(rises[::-1]))
    return Rise(count, float(numbers[-1 - count]), float(numbers[-1])) if count else None


def diverging(losses: Sequence[float], descent: Descent) -> Rise | None:
    """Return the rise at the end of losses if it shows that training diverges; None if it may be harmless.

    Args:
        losses: Loss of each epoch, oldest first; nan for an epoch without one.
        descent: How the losses follow from each other.
    """
    rise = rise_at_end(losses)
    if rise is None:
        return None
    earlier = np.abs(np.asarray([losses[0], *losses[-WINDOW:]][: -rise.count], dtype=np.float64))
    known = earlier[np.isfinite(earlier)]
    peak = float(known.max()) if len(known) else abs(rise.first)
    if abs(rise.last) < MATTERS * peak:
        return None
    return rise if _is_grave(rise, peak, descent) else None


def swing(losses: Sequence[float]) -> float | None:
    """Return the largest loss after the smallest one, if it is several times the last; None if it is not."""
    numbers = np.asarray(losses, dtype=np.float64)
    if len(numbers) < FEWEST or not np.isfinite(numbers).all() or numbers[-1] <= 0:
        return None
    peak = float(numbers[int(np.argmin(numbers)) :].max())
    return peak if peak > SWING * numbers[-1] else None


def _is_grave(rise: Rise, peak: float, descent: Descent) -> bool:
    beyond = rise.last > peak
    far = _factor(rise.first, rise.last)
    farther = _factor(peak, rise.last)
    match descent:
        case Descent.PLAIN:
            return far >= 10 or (rise.count >= 3 and far >= 5) or (rise.count >= 5 and beyond)
        case Descent.CARRIED:
            return beyond and (farther >= 10 or (rise.count >= 3 and farther >= 2) or rise.count >= 5)
        case Descent.MIXED:
            return beyond and (farther >= 100 or (rise.count >= 3 and farther >= 4))


def _factor(first: float, last: float) -> float:
    """Return how many times as large a number has become, 1 for not at all; signs and zeros are possible."""
    if last <= first:
        return 1.0
    return float(1 + (last - first) / abs(first)) if first else float("inf")


def hardly_moves(losses: Sequence[float]) -> bool:
    """Return whether the losses of a run stay where they are, within a hundredth; False for a short run.

    The ends are averages of a tenth of the losses each, because single losses may differ by chance.
    """
    numbers = np.asarray(losses, dtype=np.float64)
    if len(numbers) < FEWEST or not np.isfinite(numbers).all():
        return False
    few = max(len(numbers) // 10, 1)
    first, last = numbers[:few].mean(), numbers[-few:].mean()
    scale = abs(first)
    return bool(scale > 0 and abs(last - first) < STILL * scale and np.ptp(numbers) < 2 * STILL * scale)
