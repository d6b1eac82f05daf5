"""Draws the timeline: the history of the session as a list of points to go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.notices import Unit
from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.history.substeps import Inside
    from gradstep.history.timeline import Stop, Timeline
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptLoop

HERE: Final = ">"
"""Sign before the present point of the session."""

CURSOR: Final = "|"
"""Sign before the chosen point."""


def timeline_lines(
    shown: Timeline,
    at: int,
    inside: int,
    room: Inside | None,
    width: int,
    height: int,
    loop: Loop | ScriptLoop | None = None,
) -> list[Line]:
    """Return the lines of the timeline around the chosen stop, and the choices there.

    Args:
        shown: The timeline.
        at: Index of the chosen stop.
        inside: Position inside the stop's action, as `GoTo` counts it; 0 for its end.
        room: Positions inside the stop's action; None if the action is a single step.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        loop: The session's loop, whose statements and rounds the lines name; None for no names.
    """
    unit = EPOCH if loop is None else unit_of(loop)
    below = [line(), *inside_lines(shown.stops[at], inside, room, width, unit), branch_line(shown)]
    rows = max(height - len(below), 1)
    first = min(max(at - rows // 2, 0), max(len(shown.stops) - rows, 0))
    places = range(first, min(first + rows, len(shown.stops)))
    listed = [stop_line(shown, place, place == at, width, loop) for place in places]
    empty: Line = ()
    return [*listed, *([empty] * (rows - len(listed))), *below]


def stop_line(
    shown: Timeline, place: int, chosen: bool, width: int, loop: Loop | ScriptLoop | None = None
) -> Line:
    """Return the line for a stop: its action, its branch, and the epoch and loss after it."""
    stop = shown.stops[place]
    here = HERE if place == shown.here else " "
    branches = len(stop.branches)
    branch = f"{stop.branches.index(stop.number) + 1} of {branches}" if branches > 1 else ""
    loss = "" if stop.loss is None else f"loss {cell(stop.loss)}"
    role = "current" if chosen else "dim" if shown.here is not None and place > shown.here else ""
    unit = EPOCH if loop is None else unit_of(loop)
    right = f"{f'{unit} {stop.epoch:,}':<14} {loss:<16}"
    named = fitted(line(Span(action_text(stop.action, loop))), max(width - len(right) - 19, 26))
    left = f"{CURSOR if chosen else ' '}{here}{stop.number:>5}  {''.join(span.text for span in named)} "
    middle = Span(f"{branch:<8} ", role if chosen or not branch else "mark")
    return fitted(line(Span(left, role), middle, Span(right, role)), width, role)


def inside_lines(stop: Stop, inside: int, room: Inside | None, width: int, unit: str = EPOCH) -> list[Line]:
    """Return the lines on the place inside the chosen action that a jump goes to, or on how to choose it."""
    if room is None:
        return [line(Span(" Single step: Enter jumps to its end", "dim"))]
    places, is_run = room.places, room.unit is Unit.EPOCH
    if not inside:
        text = (
            f" At the end of this run: ← or {'an' if unit == EPOCH else 'a'} {unit} number opens it"
            if is_run
            else " At the end of this backward pass: ← or an event number opens it"
        )
        return wrapped(text, width, "dim")
    return [
        line(
            " inside: ",
            Span(f"{unit if is_run else room.unit} {inside:,}", "mark"),
            f" of {places[-1] + 1:,}",
        )
    ]


def branch_line(shown: Timeline) -> Line:
    """Return the line that says how many branches the history has, and whether the session is on this one."""
    if shown.lines == 1:
        return line(Span(" No branches yet: a new action after an undo begins one", "dim"))
    there = "the session is on this one" if shown.here is not None else "the session is on another one"
    return line(f" {shown.lines} branches; ", Span(there, "dim"))
