"""Steps of the learning rate: ..., 1e-5, 2e-5, 5e-5, 1e-4, ..."""

from __future__ import annotations

import math

_MANTISSAS = (1, 2, 5)
SMALLEST, LARGEST = 1e-12, 1e6
"""Lowest and highest step; a learning rate that is set directly may lie outside."""


def raised(rate: float) -> float:
    """Return the smallest step above `rate`, or `rate` itself if there is none."""
    return min((step for step in _steps_near(rate) if step > rate and step <= LARGEST), default=rate)


def lowered(rate: float) -> float:
    """Return the largest step below `rate`, or `rate` itself if there is none."""
    return max((step for step in _steps_near(rate) if step < rate and step >= SMALLEST), default=rate)


def _steps_near(rate: float) -> list[float]:
    exponent = math.floor(math.log10(rate))
    # Parsed from text, so that the step 1e-05 is the same float as the literal 1e-05.
    powers = range(exponent - 1, exponent + 3)
    return [float(f"{mantissa}e{power}") for power in powers for mantissa in _MANTISSAS]
