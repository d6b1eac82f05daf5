"""Draws a check of the ways to split the samples: the gradients, and an explanation of the chosen way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.batch_check import FULL_TEXT, outcome_text, sizes_text, way_text, why_text

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck

CURSOR: Final = "|"
"""Sign before the chosen way."""

WIDEST: Final = 30
"""Width of the column of names, in cells."""


def batches_lines(found: BatchCheck, at: int, now: int | None, width: int) -> list[Line]:
    """Return the lines that show a check of batches.

    Args:
        found: Result of the check.
        at: Index of the chosen way; 0 is the full batch.
        now: Index of the way that the session uses; None if it is not among the checked ways.
        width: Width of a line, in cells.
    """
    rows = [("full batch", "the reference", "")]
    rows += [
        (way_text(trial, found), outcome_text(trial), "" if trial.outcome == "equal" else "warn")
        for trial in found.trials
    ]
    head = [
        *wrapped(sizes_text(found), width, "key"),
        line(),
        line(Span(f"    {'way':<{WIDEST}}  gradient compared with full batch", "label")),
    ]
    body = [
        _row(place, *row, chosen=place == at, is_now=place == now, width=width)
        for place, row in enumerate(rows)
    ]
    why = FULL_TEXT if at == 0 else why_text(found.trials[at - 1])
    return [*head, *body, line(), *wrapped(why, width)]


def _row(place: int, name: str, outcome: str, role: str, *, chosen: bool, is_now: bool, width: int) -> Line:
    role = "current" if chosen else role if place else ""
    mark = f"{CURSOR if chosen else ' '} {'*' if is_now else ' '} "
    return fitted(line(Span(f"{mark}{name:<{WIDEST}}  {outcome}", role)), width, role)
