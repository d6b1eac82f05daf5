"""Words for how a loss moves."""

from __future__ import annotations

import math
from typing import Final

from gradstep_tui.text.tensors.numbers import cell

SAME: Final = 1e-6
"""Part of a loss by which it may change and still counts as the same: rounding does that much."""

FOLD: Final = 1e5
"""Percentage from which it is said how many times as large a loss is."""


def moved_text(first: float, last: float) -> str:
    """Return by how much a loss went up or down, in percent, e.g. `up 27904.7%`; empty if it stayed.

    It is empty as well if the loss began at 0, or is inf or nan.
    """
    return " ".join(_moved(first, last))


def whole_move_text(first: float, last: float) -> str:
    """Return by how much a loss went up or down, e.g. `down 4037.3496 (31.6%)`; empty as `moved_text` is."""
    moved = _moved(first, last)
    return f"{moved[0]} {cell(abs(last - first))} ({moved[1]})" if moved else ""


def _moved(first: float, last: float) -> tuple[str, str] | tuple[()]:
    if not first or not math.isfinite(last - first) or abs(last - first) <= SAME * abs(first):
        return ()
    way, percent = "up" if last > first else "down", 100 * abs(last - first) / abs(first)
    if percent < FOLD:
        return way, f"{percent:{'.2g' if percent < 0.1 else '.1f'}}%"
    fold = percent / 100 + (1 if last > first else -1)
    return way, f"{fold:,.0f}-fold" if fold < 1e7 else f"{fold:.0e}-fold"
