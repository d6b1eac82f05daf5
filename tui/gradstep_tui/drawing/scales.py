"""Scales, linear or logarithmic, that map numbers to positions on a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STEEP: Final = 50.0
"""Ratio of the highest to the lowest number from which a scale is logarithmic by default."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of numbers that is mapped, linearly or logarithmically, to a plot."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return the position of a number, 0 at the low end and 1 at the high end; nan if it has none."""
        if not math.isfinite(value) or (self.is_log and value <= 0):
            return math.nan
        low, high = self._at(self.low), self._at(self.high)
        return (self._at(value) - low) / (high - low) if high > low else 0.5

    def place(self, value: float, count: int) -> int | None:
        """Return which of `count` equal parts holds a number, counted from 0; None if none does."""
        share = self.share(value)
        if math.isnan(share) or not -1e-9 <= share <= 1 + 1e-9:
            return None
        return min(max(int(share * count), 0), count - 1)

    def _at(self, value: float) -> float:
        return math.log(value) if self.is_log else value

    @property
    def name(self) -> str:
        """Name of the kind of scale, for the learner."""
        return "logarithmic" if self.is_log else "linear"


def scale_of(values: Iterable[float], is_log: bool | None = None) -> Scale | None:
    """Return a scale that covers all finite numbers; None if there are none.

    Args:
        values: Numbers to draw.
        is_log: Whether the scale is logarithmic, if the numbers permit it; None to decide by `STEEP`.
    """
    finite = [value for value in values if math.isfinite(value)]
    above = [value for value in finite if value > 0]
    if not finite:
        return None
    if is_log is None:
        is_log = len(above) == len(finite) and max(above) / min(above) >= STEEP
    if is_log and above:
        return Scale(min(above), max(above), True)
    return Scale(min(finite), max(finite))
