"""Words for how a loss moves."""

from __future__ import annotations

import math
from typing import Final

from gradstep_tui.text.tensors.numbers import cell

SAME: Final = 1e-6
"""Part of a loss by which it may change and still counts as the same: rounding does that much."""

FOLD: Final = 10
"""Multiple of a loss from which it is said how many times as large it is; a percentage would be long."""


def moved_text(first: float, last: float) -> str:
    """Return by how much a loss went up or down, e.g. `down 31.6%` or `up 280-fold`; empty if it stayed.

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
    if last > FOLD * first > 0:
        fold = last / first
        return "up", f"{fold:.0e}-fold" if fold >= 1e7 else f"{fold:,.{1 if fold < 100 else 0}f}-fold"
    way, percent = "up" if last > first else "down", 100 * abs(last - first) / abs(first)
    return way, f"{_percentage(percent)}%"


def _percentage(percent: float) -> str:
    """Return a percentage with one decimal, and with more below 0.1 and between 99.9 and 100."""
    if percent < 0.1:
        return f"{percent:.2g}"
    if not 99.9 < percent < 100:
        return f"{percent:.1f}"
    rest = 100 - percent
    return f"{percent:.{-math.floor(math.log10(rest))}f}" if rest > 1e-4 else ">99.9999"
