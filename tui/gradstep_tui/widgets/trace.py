"""The trace panel: the backward pass as a list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.message import Message
from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, fitted, line, window_start, wrapped
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.steps import event_text, listed_name
from gradstep_tui.text.tensors.numbers import shape_text
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual import events

    from gradstep.frame import PassFrame, TraceRow

SHORT: Final = 11
"""Longest name of a parameter's row that counts for the width of the names."""

WORTH_READING: Final = 6
"""Least number of characters of an event's text that is drawn at all."""

NAME: Final = 5
"""Least width of an event's name, in cells."""


class TracePanel(Panel):
    """The events of the backward pass in the order in which autograd's engine ran them."""

    looked: var[int | None] = var(None)
    """Event that is looked at again, counted from 0; None for the current one."""

    class Chosen(Message):
        """A row of the list was clicked."""

        def __init__(self, event: int) -> None:
            """Name the event, counted from 0."""
            super().__init__()
            self.event = event

    def watch_looked(self) -> None:
        """Mark the row of the event that is looked at."""
        self.redraw()

    def on_click(self, click: events.Click) -> None:
        """Choose the event of the row that was clicked, if it has been stepped through."""
        backward = None if self.frame is None else self.frame.backward
        if backward is None or click.y < 1:
            return
        number = first_row(backward, self.size.height - 1, self.looked) + click.y - 1
        if number < backward.done:
            self.post_message(self.Chosen(number))

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
        return trace_lines(self.frame.backward, width, height, self.looked)


def first_row(backward: PassFrame, height: int, looked: int | None) -> int:
    """Return the number of the first event that a list of some height shows."""
    at = backward.done - 1 if looked is None else looked
    return window_start(at, len(backward.rows), height)


def trace_lines(backward: PassFrame, width: int, height: int, looked: int | None = None) -> list[Line]:
    """Return the rows of the list around an event, and as many of the next ones as fit.

    Args:
        backward: The pass.
        width: Width of the list, in cells.
        height: Number of lines that fit.
        looked: Event that is looked at again, counted from 0; None for the current one.
    """
    count = len(backward.rows)
    first = first_row(backward, height, looked)
    shown = range(first, min(first + height, count))
    rows = [backward.rows[number] for number in shown]
    longest = max(
        (len(_name(row)) for row in rows if row.parameter is None or len(_name(row)) <= SHORT), default=0
    )
    room = min(max(longest, NAME), width * 3 // 10)
    current = looked if looked is not None or backward.over else backward.done - 1
    return [_row(backward, number, width, room, is_current=number == current) for number in shown]


def _name(row: TraceRow) -> str:
    return f"{'  ' * row.depth}{listed_name(row)}"


def _with_end(name: str, room: int) -> str:
    """Return the name of a parameter's row in at most `room` characters; its end tells it from others."""
    over = len(name) - room
    if over <= 0:
        return name
    start = len(name) - len(name.lstrip()) + len("-> ")
    return f"{name[:start]}…{name[start + over + 1 :]}"


def _row(backward: PassFrame, number: int, width: int, room: int, *, is_current: bool) -> Line:
    row, current = backward.rows[number], is_current
    role = "current" if current else "" if number < backward.done else "dim"
    marker = ">" if current else " "
    digits = max(len(str(len(backward.rows))), 2)
    shape = f" {shape_text(row.shape):>4}"
    name = _name(row)
    if row.parameter is None:
        name = shortened_name(name, room)
    else:  # what it is called matters more than that it is an AccumulateGrad
        name = _with_end(name, width - 2 - len(shape) - digits - 3)
    before = f"{marker}{number + 1:>{digits}} {name:<{room}} "
    left_over, text = width - 2 - len(shape) - len(before), event_text(row)
    if left_over < min(WORTH_READING, len(text)):
        text = ""
    elif row.is_node and row.parameter is None:
        text = shortened_name(text, left_over)
    left = line(Span(before, role), Span(text, role if current else "dim"))
    return line(*fitted(left, width - 2 - len(shape), role if current else "dim"), Span(shape, role))
