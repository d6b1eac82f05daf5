"""The loss panel: the loss, its change, and its curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.chart import chart_lines
from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.frames import part_text
from gradstep_tui.text.losses.loss_moves import moved_text, whole_move_text
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.training.loss_history import Losses
    from gradstep.training.progress import Progress


class LossPanel(Panel):
    """The loss and its curve; while epochs run, the curve grows."""

    title = "loss"
    opens = "pictures"
    progress: var[Progress | None] = var(None, always_update=True)

    def __init__(self) -> None:
        """Make an empty panel."""
        super().__init__()
        self._asked: tuple[Losses, int, int, int, str] | None = None
        self._chart: list[Line] = []
        """Chart of what was asked for last."""

    def title_text(self) -> str:
        """Return the title; empty if there is room for the number and its curve only."""
        return self.title if self.size.height > 2 else ""

    def watch_progress(self) -> None:
        """Draw the curve as far as it has grown."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the loss as text, then its curve in the remaining lines."""
        if self.frame is None:
            return []
        if self.progress is not None and not self.progress.comparing:
            losses = self.progress.curve
            head = running_line(losses, self.frame)
        else:
            room = width if self.title_text() else width - len(self.title) - 1
            losses, head = self.frame.losses, loss_line(self.frame, room)
        if not self.title_text():
            head = line(Span(f" {self.title}", "label"), *head)
        return [head, *self._chart_lines(losses, width - 1, height - 1, unit_of(self.frame.loop))]

    def _chart_lines(self, losses: Losses, width: int, height: int, unit: str) -> list[Line]:
        """Return the chart; most keys compute no loss, so the last one is kept."""
        asked = (losses, len(losses), width, height, unit)
        if self._asked != asked:
            self._asked, self._chart = asked, chart_lines(losses, width, height, unit)
        return self._chart


def running_line(losses: Losses, frame: Frame) -> Line:
    """Return the line with the newest loss of a run, and whether it is above the loss before the run."""
    if not len(losses):
        return line(" running: ")
    last, first = losses[len(losses) - 1], losses[0] if frame.loss is None else frame.loss
    moved = moved_text(first, last)
    is_bad = not math.isfinite(last) or (bool(moved) and last > first)
    number, change = ("warn", "warn") if is_bad else ("mark", "dim")
    return line(" running: ", Span(cell(last), number), Span(f" {moved}", change))


def loss_line(frame: Frame, width: int) -> Line:
    """Return the line with the loss and its change since the epoch before, only in percent if it is long.

    A rise is told by a word and by the role `warn`, and so is a loss that is inf or nan.
    """
    if frame.loss is None:
        return line(Span(f" no loss yet: run forward ({SIGNS['forward']})", "dim"))
    before, diverged = frame.loss_before, not math.isfinite(frame.loss)
    rises = diverged or (before is not None and bool(moved_text(before, frame.loss)) and frame.loss > before)
    mark = "*" if frame.loss_changed else " "
    loss = Span(f" {cell(frame.loss)}{mark}", "warn" if rises else "mark" if frame.loss_changed else "")
    part = Span(f" {part_text(frame)}" if frame.loop.split else "", "dim")
    stale = Span(" before the update" if frame.stale else "", "dim")
    if diverged or before is None:
        return line(loss, Span(" diverged" * diverged, "warn"), part, stale)
    role = "warn" if rises else "dim"
    moved = Span(f" {moved_text(before, frame.loss)}", role)
    lines = [
        line(loss, Span(f" {whole_move_text(before, frame.loss)}", role), part, stale),
        line(loss, moved, part, stale),
        line(loss, moved, part, Span(" before update" if frame.stale else "", "dim")),
    ]
    return next((each for each in lines if length(each) <= width), lines[-1])
