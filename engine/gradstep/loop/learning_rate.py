"""Steps of the learning rate: ..., 1e-5, 2e-5, 5e-5, 1e-4, ..."""

from __future__ import annotations

import math

_MANTISSAS = (1, 2, 5)
SMALLEST, LARGEST = 1e-12, 1e6
"""Where the steps end; a typed learning rate may lie outside."""


def raised(rate: float) -> float:
    """Give the smallest step above `rate`; `rate` itself where the steps end."""
    return min((step for step in _steps_near(rate) if step > rate and step <= LARGEST), default=rate)


def lowered(rate: float) -> float:
    """Give the largest step below `rate`; `rate` itself where the steps end."""
    return max((step for step in _steps_near(rate) if step < rate and step >= SMALLEST), default=rate)


def _steps_near(rate: float) -> list[float]:
    exponent = math.floor(math.log10(rate))
    # Parsed from text, so that 1e-05 is the float that a person typing 1e-05 gets.
    return [float(f"{m}e{e}") for e in range(exponent - 1, exponent + 3) for m in _MANTISSAS]
