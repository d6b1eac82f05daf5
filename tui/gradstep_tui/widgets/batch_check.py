"""Ways to split the samples: what each does to the gradient, and why the chosen one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.batch_check import FULL_TEXT, outcome_text, sizes_text, way_text, why_text

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck

CURSOR: Final = "|"
"""Stands before the chosen way."""

WIDEST: Final = 30
"""Cells of a way's name."""


def batches_lines(found: BatchCheck, at: int, now: int | None, width: int) -> list[Line]:
    """Draw a check of batches.

    Args:
        found: The check.
        at: Place of the chosen way; 0 is the full batch.
        now: Place of the way that the session goes; None where it is none of these.
        width: Cells per line.
    """
    rows = [("full batch", "the one to compare with", "")]
    rows += [
        (way_text(one, found), outcome_text(one), "" if one.outcome == "equal" else "warn")
        for one in found.trials
    ]
    head = [
        *wrapped(sizes_text(found), width, "key"),
        line(),
        line(Span(f"    {'way':<{WIDEST}}  the gradient beside the full batch's", "label")),
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
