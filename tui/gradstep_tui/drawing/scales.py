"""Scales, linear or logarithmic, that map numbers to positions on a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STEEP: Final = 50.0
"""Ratio of the highest to the lowest number from which a scale is logarithmic by default."""

STEPS: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
LOG_STEPS: Final = (1.0, 2.0, 5.0)
"""Round numbers from 1 to 10, for the ends of a linear and of a logarithmic scale."""


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


def rounded(scale: Scale) -> Scale:
    """Return a scale with round ends that covers another one; a linear one of no negative number begins at 0.

    Round ends stay while the numbers between them change, so a growing plot is rarely redrawn as a whole.
    """
    if scale.is_log:
        low, high = _round(scale.low, LOG_STEPS, up=False), _round(scale.high, LOG_STEPS, up=True)
        return Scale(low, high, True) if low < high else scale
    low = 0.0 if scale.low >= 0 else -_round(-scale.low, STEPS, up=True)
    high = _round(scale.high, STEPS, up=True) if scale.high > 0 else 0.0
    return Scale(low, high) if low < high else Scale(low, low + 1)


def snug(scale: Scale) -> Scale:
    """Return a linear scale with round ends that covers another one and is little longer."""
    size = scale.high - scale.low
    size = size if size > 0 else abs(scale.high) or 1.0
    step = _round(size / 8, LOG_STEPS, up=True)
    low, high = math.floor(scale.low / step) * step, math.ceil(scale.high / step) * step
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return Scale(scale.low - size, scale.high + size) if low == high else scale
    return Scale(float(f"{low:.9g}"), float(f"{high:.9g}"))


def _round(value: float, steps: tuple[float, ...], *, up: bool) -> float:
    """Return the nearest number that is a step times a power of 10, not below (or not above) `value` > 0."""
    power = 10.0 ** math.floor(math.log10(value))
    if not power or not math.isfinite(10 * power):  # at the ends of what a float holds
        return value
    numbers = [float(f"{step * power:.3g}") for step in (*steps, 10)]
    if up:
        return next((number for number in numbers if number >= value), value)
    return next((number for number in reversed(numbers) if number <= value), value)
