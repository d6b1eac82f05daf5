"""Numbers to places on a screen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STEEP: Final = 50.0
"""From this ratio of the highest to the lowest number on, a scale is logarithmic where nobody chose."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From the lowest number to the highest."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Give where a number lies, 0 at the lowest and 1 at the highest; nan where it has no place."""
        if not math.isfinite(value) or (self.is_log and value <= 0):
            return math.nan
        low, high = self._at(self.low), self._at(self.high)
        return (self._at(value) - low) / (high - low) if high > low else 0.5

    def place(self, value: float, count: int) -> int | None:
        """Give which of `count` equal parts a number lies in; None where in none."""
        share = self.share(value)
        if math.isnan(share) or not -1e-9 <= share <= 1 + 1e-9:
            return None
        return min(max(int(share * count), 0), count - 1)

    def _at(self, value: float) -> float:
        return math.log(value) if self.is_log else value

    @property
    def name(self) -> str:
        """What it is called."""
        return "logarithmic" if self.is_log else "linear"


def scale_of(values: Iterable[float], is_log: bool | None = None) -> Scale | None:
    """Give the scale that holds all finite numbers; None where there are none.

    Args:
        values: What is to be drawn.
        is_log: Whether it is to be logarithmic, if that is possible; None leaves it to the numbers.
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
