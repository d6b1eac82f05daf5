"""The history as a list to walk along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.history.substeps import Inside
    from gradstep.history.timeline import Stop, Timeline

HERE: Final = ">"
"""Stands before the point where the session is."""

CURSOR: Final = "|"
"""Stands before the point that is chosen."""


def timeline_lines(
    shown: Timeline, at: int, inside: int, room: Inside | None, width: int, height: int
) -> list[Line]:
    """Draw a window of the line that shows the chosen stop, and what can be done there.

    Args:
        shown: The line.
        at: Place of the chosen stop.
        inside: How far inside its action, as `GoTo` counts; 0 at its end.
        room: What is inside its action; None where nothing is.
        width: Cells per line.
        height: Lines.
    """
    below = [line(), *inside_lines(shown.stops[at], inside, room, width), branch_line(shown)]
    rows = max(height - len(below), 1)
    first = min(max(at - rows // 2, 0), max(len(shown.stops) - rows, 0))
    places = range(first, min(first + rows, len(shown.stops)))
    listed = [stop_line(shown, place, place == at, width) for place in places]
    empty: Line = ()
    return [*listed, *([empty] * (rows - len(listed))), *below]


def stop_line(shown: Timeline, place: int, chosen: bool, width: int) -> Line:
    """Draw one stop: what was done, on which branch, and what it came to."""
    stop = shown.stops[place]
    here = HERE if place == shown.here else " "
    branches = len(stop.branches)
    branch = f"{stop.branches.index(stop.number) + 1} of {branches}" if branches > 1 else ""
    loss = "" if stop.loss is None else f"loss {cell(stop.loss)}"
    role = "current" if chosen else "dim" if shown.here is not None and place > shown.here else ""
    left = f"{CURSOR if chosen else ' '}{here}{stop.number:>5}  {action_text(stop.action):<26} "
    right = f"{f'epoch {stop.epoch:,}':<14} {loss:<16}"
    middle = Span(f"{branch:<8} ", role if chosen or not branch else "mark")
    return fitted(line(Span(left, role), middle, Span(right, role)), width, role)


def inside_lines(stop: Stop, inside: int, room: Inside | None, width: int) -> list[Line]:
    """Say how far inside the chosen action the jump goes, or how to go into it."""
    if room is None:
        return [line(Span(" nothing inside: the jump goes to where it ended", "dim"))]
    places = room.places
    if not inside:
        what = "run of epochs" if room.unit == "epoch" else "backward pass"
        text = f" at the end of this {what}; left arrow or a number goes into it"
        return wrapped(text, width, "dim")
    return [line(" inside: ", Span(f"{room.unit} {inside:,}", "mark"), f" of {places[-1] + 1:,}")]


def branch_line(shown: Timeline) -> Line:
    """Say how many branches there are."""
    if shown.lines == 1:
        return line(Span(" one line; doing something else after an undo begins a branch", "dim"))
    there = "the session is on this one" if shown.here is not None else "the session is on another one"
    return line(f" {shown.lines} branches; ", Span(there, "dim"))
