"""The loss panel: the loss, its change, and its curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.frames import change_texts, part_text
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.training.loss_history import Losses
    from gradstep.training.progress import Progress

BARS: Final = " ▁▂▃▄▅▆▇█"
"""Characters of a cell filled by no to eight eighths."""

AXIS: Final = 12
"""Width of the numbers beside the curve, in cells."""

Bars = Sequence[tuple[float, float]]


class LossPanel(Panel):
    """The loss and its curve; while epochs run, the curve grows."""

    title = "loss"
    progress: var[Progress | None] = var(None, always_update=True)

    def watch_progress(self) -> None:
        """Draw the curve as far as it has grown."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the loss as text, then its curve in the remaining lines."""
        if self.frame is None:
            return []
        if self.progress is not None and not self.progress.comparing:
            losses = self.progress.curve
            head = line(" running: ", Span(cell(losses[len(losses) - 1]) if len(losses) else "", "mark"))
        else:
            losses, head = self.frame.losses, loss_line(self.frame, width)
        return [head, *curve_lines(losses, width - 1, height - 1, unit_of(self.frame.loop))]


def loss_line(frame: Frame, width: int) -> Line:
    """Return the line with the loss and its change since the epoch before, only in percent if it is long."""
    if frame.loss is None:
        return line(Span(f" no loss yet: run forward ({SIGNS['forward']})", "dim"))
    mark = "*" if frame.loss_changed else " "
    loss = Span(f" {cell(frame.loss)}{mark}", "mark" if frame.loss_changed else "")
    change, percent = change_texts(frame)
    part = Span(f" {part_text(frame)}" if frame.loop.split else "", "dim")
    stale = Span(" before the update" if frame.stale else "", "dim")
    whole = line(loss, Span(f"{change}{percent}", "dim"), part, stale)
    return whole if length(whole) <= width else line(loss, Span(percent, "dim"), part, stale)


def curve_lines(losses: Losses, width: int, height: int, unit: str = EPOCH) -> list[Line]:
    """Return the loss curve as bars, a column for one or more epochs, with an axis if there are two lines.

    Args:
        losses: Loss of every epoch.
        width: Width of the curve with its axis, in cells.
        height: Number of lines.
        unit: Word for an epoch.
    """
    if height < 1 or not len(losses):
        return []
    room = width - 1 if height == 1 else width - AXIS - 1
    bars = _widened(losses.sampled(room), room)
    if height == 1:
        return bar_lines(bars, 1)
    finite = [number for pair in bars for number in pair if math.isfinite(number)]
    labels = {0: cell(max(finite)), height - 2: "0"} if finite else {}
    plot = bar_lines(bars, height - 1)
    rows = [line(Span(f"{labels.get(row, ''):>{AXIS - 1}} ", "dim"), *plot[row]) for row in range(height - 1)]
    first, last = f"{unit} 1", f"{len(losses):,}" if len(losses) > 1 else ""
    gap = max(len(bars) - len(first) - len(last), 1)
    return [*rows, line(Span(f"{' ' * (AXIS + 1)}{first}{' ' * gap}{last}", "dim"))]


def bar_lines(bars: Bars, height: int) -> list[Line]:
    """Return bars, one per pair of numbers, as high as the second number, in eighths of a cell from 0."""
    top = max((high for _, high in bars if math.isfinite(high)), default=0.0)
    eighths = [_eighths(high, top, height) for _, high in bars]
    rows = []
    for row in range(height):
        floor = (height - 1 - row) * 8
        rows.append(line(" " + "".join(BARS[min(max(level - floor, 0), 8)] for level in eighths)))
    return rows


def _widened(bars: Bars, columns: int) -> Bars:
    """Return bars repeated up to four times each, if they are few enough for `columns`."""
    wide = min(max(columns // max(len(bars), 1), 1), 4)
    return [bar for bar in bars for _ in range(wide)]


def _eighths(value: float, top: float, height: int) -> int:
    if not math.isfinite(value):
        return 0
    return round(min(max(value / top * height * 8, 1), height * 8)) if top > 0 else 1
