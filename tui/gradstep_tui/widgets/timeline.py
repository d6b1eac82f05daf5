"""Draws the timeline: the history of the session as a list of points to go to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gradstep.notices import Unit
from gradstep_tui.drawing.chart import RISES
from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.text.timeline import run_text, stop_text

if TYPE_CHECKING:
    from gradstep.history.substeps import Inside
    from gradstep.history.timeline import Stop, Timeline
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptLoop

HERE: Final = "•"
"""Sign before the present point of the session."""

CURSOR: Final = ">"
"""Sign before the chosen point."""

COLUMNS: Final = 42
"""Width of everything but the words and the bars, in cells."""

BAR: Final = (8, 40)
"""Smallest and largest width of the bar for the highest loss, in cells."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
"""Characters of a cell filled by no to eight eighths, from the left."""

ASIDE: Final = "Tab: another branch, which was undone: {what}"
ASIDE_HERE: Final = "Tab: another branch: {what}"
"""What the branch is that Tab shows, by whether the session is on the branch that is shown."""

WORDS: Final = (26, 48)
"""Smallest and largest width of the words on what happened, in cells."""


def timeline_lines(
    shown: Timeline,
    at: int,
    inside: int,
    room: Inside | None,
    width: int,
    height: int,
    loop: Loop | ScriptLoop | None = None,
    aside: Sequence[Stop] = (),
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
        aside: Points of the branch that Tab shows, from where it begins; empty for none.
    """
    other = aside_lines(aside, shown, width, loop)
    unit = EPOCH if loop is None else unit_of(loop)
    below = [line(), *inside_lines(inside, room, width, unit), *branch_lines(shown, width), *other]
    below += bar_lines(shown, width)
    rows = max(height - len(below) - 1, 1)
    places = listed_stops(shown, at, rows)
    scale = loss_scale(shown)
    listed = [stop_line(shown, place, place == at, width, loop, scale) for place in places]
    empty: Line = ()
    return [head_line(width, unit), *listed, *([empty] * (rows - len(listed))), *below]


def listed_stops(shown: Timeline, at: int, rows: int) -> range:
    """Return the indices of the stops around the chosen one that fit into a number of rows."""
    first = min(max(at - rows // 2, 0), max(len(shown.stops) - rows, 0))
    return range(first, min(first + rows, len(shown.stops)))


def loss_scale(shown: Timeline) -> Scale | None:
    """Return the scale of the bars of all losses; a linear one begins at 0. None if there are none.

    It is that of the whole session, so that the bars of its branches can be compared.
    """
    found = scale_of(shown.losses or ())
    return found if found is None or found.is_log else Scale(min(found.low, 0), found.high)


def head_line(width: int, unit: str = EPOCH) -> Line:
    """Return the names of the columns."""
    return line(Span(_columns("", " point", "what happened", "branch", unit, "loss", "", width), "label"))


def stop_line(
    shown: Timeline,
    place: int,
    chosen: bool,
    width: int,
    loop: Loop | ScriptLoop | None = None,
    scale: Scale | None = None,
) -> Line:
    """Return the line for a stop: what happened, its branch, the epoch and loss after it, and a bar."""
    stop = shown.stops[place]
    branches = len(stop.branches)
    branch = f"{stop.branches.index(stop.number) + 1} of {branches}" if branches > 1 else ""
    role = "current" if chosen else "dim" if shown.here is not None and place > shown.here else ""
    loss = "" if stop.loss is None else cell(stop.loss)
    cursor, number = (CURSOR if chosen else " "), f"{HERE if place == shown.here else ' '}{stop.number:>5}"
    text = _columns(cursor, number, stop_text(stop, loop), branch, f"{stop.epoch:,}", loss, " ", width)
    rises = place > 0 and _is_higher(stop.loss, shown.stops[place - 1].loss)
    bar = Span(
        bar_text(stop.loss, scale, _bar_width(width)), "warn" if rises else role if role == "dim" else "label"
    )
    return line(Span(text, role), bar, Span(f" {RISES}" if rises else "", "warn"))


def bar_text(loss: float | None, scale: Scale | None, cells: int) -> str:
    """Return a bar for a loss, `cells` long for the highest one; empty if there is none."""
    share = math.nan if loss is None or scale is None else scale.share(loss)
    if math.isnan(share):
        return ""
    eighths = max(round(share * cells * 8), 1)
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _columns(
    cursor: str, number: str, text: str, branch: str, epoch: str, loss: str, gap: str, width: int
) -> str:
    """Return a row up to the bar, with every column at its place."""
    named = "".join(span.text for span in fitted(line(Span(text)), _words_width(width)))
    return f"{cursor:<1}{number:>6}  {named} {branch:<7} {epoch:>9} {loss:>11}{gap}"


def _words_width(width: int) -> int:
    return min(max(width - COLUMNS - BAR[0], WORDS[0]), WORDS[1])


def _bar_width(width: int) -> int:
    return min(max(width - COLUMNS - _words_width(width), BAR[0]), BAR[1])


def _is_higher(loss: float | None, before: float | None) -> bool:
    return loss is not None and before is not None and loss > before


def inside_lines(inside: int, room: Inside | None, width: int, unit: str = EPOCH) -> list[Line]:
    """Return the lines on the place inside the chosen action that a jump goes to, or on how to choose it."""
    if room is None:
        return [line()]
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


def branch_lines(shown: Timeline, width: int) -> list[Line]:
    """Return the lines that say how many branches there are, and whether the session is on this one."""
    here = f" {HERE} is the session's place." if shown.here is not None else ""
    if shown.lines == 1:
        return [line(Span(f"{here} No branches: an action after an undo begins one", "dim"))]
    numbers = [stop.number for stop in shown.stops]
    gaps = " Numbers that are missing are points of other branches." if _has_gap(numbers) else ""
    there = here or " The session is on another branch."
    return indented(f"{shown.lines} branches.{there}{gaps}", width, "dim")


def aside_lines(
    aside: Sequence[Stop], shown: Timeline, width: int, loop: Loop | ScriptLoop | None
) -> list[Line]:
    """Return the lines that say what the branch is that Tab shows; none if there is no other branch."""
    if not aside:
        return []
    text = (ASIDE if shown.here is not None else ASIDE_HERE).format(what=run_text(aside, loop))
    return indented(text, width, "mark")


def bar_lines(shown: Timeline, width: int) -> list[Line]:
    """Return the line that says what the bars stand for; none if no point has a loss."""
    if shown.losses is None or shown.losses[0] == shown.losses[1]:
        return []
    low, high = (cell(loss).strip() for loss in shown.losses)
    scale = loss_scale(shown)
    steps = ", in powers of ten" if scale is not None and scale.is_log else ""
    return indented(f"Bars: the loss, {low} at the lowest and {high} at the highest{steps}.", width, "dim")


def indented(text: str, width: int, role: str) -> list[Line]:
    """Return a text broken into lines, each a cell from the left."""
    return [line(" ", *row) for row in wrapped(text, width - 2, role)]


def _has_gap(numbers: Sequence[int]) -> bool:
    return any(after != before + 1 for before, after in pairwise(numbers))
