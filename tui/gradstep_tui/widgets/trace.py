"""The trace panel: the backward pass as a list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep_tui.drawing.lines import Line, Span, fitted, line, window_start, wrapped
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.steps import brief_text
from gradstep_tui.text.tensors.numbers import shape_text
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import PassFrame, TraceRow


class TracePanel(Panel):
    """The events of the backward pass in the order in which autograd's engine ran them."""

    def title_text(self) -> str:
        """Return the title: the call, and how many of its events have been stepped through."""
        if self.frame is None or self.frame.backward is None:
            return "loss.backward()"
        far = f"{self.frame.backward.done}/{len(self.frame.backward.rows)}"
        return f"backward {far}, summaries" if self.frame.backward.summarized else f"loss.backward()  {far}"

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the part of the list around the current event."""
        if self.frame is None:
            return []
        if self.frame.backward is None:
            return wrapped(f" {empty_text(self.frame)}", width - 2, "dim")
        return trace_lines(self.frame.backward, width, height)


def trace_lines(backward: PassFrame, width: int, height: int) -> list[Line]:
    """Return the rows of the list around the current event, and as many of the next ones as fit."""
    count = len(backward.rows)
    first = window_start(backward.done - 1, count, height)
    shown = range(first, min(first + height, count))
    return [_row(backward, number, width) for number in shown]


def _row(backward: PassFrame, number: int, width: int) -> Line:
    row = backward.rows[number]
    current = number == backward.done - 1 and not backward.over
    role = "current" if current else "" if number < backward.done else "dim"
    marker = ">" if current else " "
    name = (
        f"{'  ' * row.depth}{row.name if row.is_node else '(engine)' if row.name == 'engine' else '(hook)'}"
    )
    text = f"{marker}{number + 1:>{max(len(str(len(backward.rows))), 2)}} {name:<9} {brief_text(row):<13}"
    shape = f"{shape_text(row.shape):>5}"
    shape = shape if len(shape) == 5 else f" {shape}"
    source = Span(_source(row, width - len(text) - 9), role if current else "dim")
    return line(
        *fitted(line(Span(text, role), source), width - 2 - len(shape), source.role), Span(shape, role)
    )


def _source(row: TraceRow, room: int) -> str:
    """Return the forward expression, cut to `room` cells; empty if hardly any of it would fit."""
    if room < 16 or not row.source:
        return ""
    return f"  {row.source}" if len(row.source) <= room - 2 else f"  {row.source[: room - 3]}…"
