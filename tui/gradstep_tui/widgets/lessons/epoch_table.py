"""The losses of the epochs of a run, as a table: as many as fit, the first and the last among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.losses.loss_moves import moved_text
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.statement_steps.statement_facts import EpochsStep
    from gradstep.training.loss_history import Losses

LEAST: Final = 4
"""Least number of lines in which the table is drawn: its head, and three epochs."""

NUMBER, LOSS = 8, 14
"""Widths of the columns."""


def epoch_table(step: EpochsStep, losses: Losses, height: int, unit: str) -> list[Line]:
    """Return the lines of the table; none for a single epoch, or if there is little room.

    Args:
        step: The run.
        losses: Loss of every epoch of the session, those of the run at the end.
        height: Number of lines that fit.
        unit: Word for an epoch.
    """
    first, last = step.first, min(step.first + step.epochs, len(losses)) - 1
    if height < LEAST or last <= first:
        return []
    chosen = spread(first, last, height - 1)
    rows = [line(Span(f"{unit:>{NUMBER}}{'loss':>{LOSS}}  since the row above", "label"))]
    before = math.nan
    for number in chosen:
        loss = losses[number]
        moved = "" if math.isnan(before) else moved_text(before, loss)
        told = "none" if math.isnan(loss) else cell(loss)
        role = "warn" if moved.startswith("up") or math.isinf(loss) else "dim"
        rows.append(line(f"{number + 1:>{NUMBER},}{told:>{LOSS}}  ", Span(moved, role)))
        before = loss
    return rows


def spread(first: int, last: int, count: int) -> Sequence[int]:
    """Return at most `count` numbers from `first` to `last`, both among them, as far apart as each other."""
    step = -(-(last - first) // (count - 1))
    return [*range(first, last, step), last]
