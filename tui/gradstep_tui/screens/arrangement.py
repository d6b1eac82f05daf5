"""The places of the bench's panes, for a terminal's size."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from textual.geometry import Region

SMALLEST: Final = (80, 24)
"""Smallest number of columns and rows in which the bench fits."""

ROOMY: Final = (112, 36)
"""Numbers of columns and rows from which the code and the step have a column of their own."""

WIDE: Final = (150, 44)
"""Numbers of columns and rows from which panes below each other are beside each other, too."""

AROUND: Final = 3
"""Rows of the status line, the notice and the key bar."""


LESSON_BESIDE: Final = 110
"""Columns from which a lesson is beside the other panes instead of above them."""

LESSON_ROWS: Final = 3
"""Rows of a lesson above the other panes."""

LESSON_COLUMNS: Final = (30, 46)
"""Smallest and largest width of a lesson beside the other panes."""


class Pane(StrEnum):
    """A pane of the bench, by the id of its widget."""

    PARAMETERS = "parameters"
    LOSS = "loss"
    TRACE = "trace"
    STEP = "step"
    CODE = "code"
    DATA = "data"
    LESSON = "lesson"


TURN: Final = (Pane.CODE, Pane.TRACE, Pane.STEP, Pane.PARAMETERS, Pane.DATA, Pane.LOSS)
"""Panes in the order in which the focus goes from one to the next."""


def arrangement(
    width: int, height: int, zoomed: Pane | None = None, *, lesson: bool = False
) -> Mapping[Pane, Region]:
    """Return the region of each pane that is shown, below the status line.

    Args:
        width: Columns of the terminal.
        height: Rows of the terminal.
        zoomed: Pane that takes all the room besides the lesson; None for all panes that fit.
        lesson: Whether a lesson is under way, which is always shown.
    """
    if lesson and width >= LESSON_BESIDE:
        room = min(max(width - SMALLEST[0], LESSON_COLUMNS[0]), LESSON_COLUMNS[1])
        beside = arrangement(width - room, height, zoomed)
        return {**beside, Pane.LESSON: Region(width - room, 0, room, height - AROUND)}
    if lesson:
        below = {
            pane: region.translate((0, LESSON_ROWS))
            for pane, region in arrangement(width, height - LESSON_ROWS, zoomed).items()
        }
        return {**below, Pane.LESSON: Region(0, 0, width, LESSON_ROWS)}
    rows = height - AROUND
    if zoomed is not None:
        return {zoomed: Region(0, 0, width, rows)}
    if width >= WIDE[0] and height >= WIDE[1]:
        return _wide(width, rows)
    if width >= ROOMY[0] and height >= ROOMY[1]:
        return _roomy(width, rows)
    return _narrow(width, rows)


def _narrow(width: int, rows: int) -> Mapping[Pane, Region]:
    """Parameters and pass beside each other, then the step and the code in full width."""
    spare, short = max(rows - 21, 0), max(21 - rows, 0)
    left, top, loss = min(46, width // 2 + 6), 9 + min(spare // 4, 5), 1 + min(spare // 8, 3)
    top, code = top - short // 3, 6 + min(spare // 3, 10) - short // 3
    return {
        Pane.PARAMETERS: Region(0, 0, left, top - loss),
        Pane.LOSS: Region(0, top - loss, left, loss),
        Pane.TRACE: Region(left, 0, width - left, top),
        Pane.STEP: Region(0, top, width, rows - top - code),
        Pane.CODE: Region(0, rows - code, width, code),
    }


def _roomy(width: int, rows: int) -> Mapping[Pane, Region]:
    """Code and step at the left; the pass, the numbers, the samples and the loss at the right."""
    code = rows * 2 // 5
    return _columns(
        width, rows, (width * 58 // 100, code), (rows * 34 // 100, rows * 35 // 100, rows * 19 // 100)
    )


def _wide(width: int, rows: int) -> Mapping[Pane, Region]:
    """As `_roomy`; the right column is wider, and the parameters are higher."""
    code = rows * 3 // 10
    return _columns(
        width, rows, (width * 52 // 100, code), (rows * 30 // 100, rows * 34 // 100, rows * 17 // 100)
    )


def _columns(
    width: int, rows: int, first: tuple[int, int], heights: tuple[int, int, int]
) -> Mapping[Pane, Region]:
    """Return two columns of panes.

    Args:
        width: Width of the terminal.
        rows: Rows of all panes.
        first: Width of the left column, and height of the code in it.
        heights: Heights of the pass, the parameters and the samples in the right one.
    """
    left, code = first
    trace, parameters, data = heights
    below, right = trace + parameters + data, width - left
    return {
        Pane.CODE: Region(0, 0, left, code),
        Pane.STEP: Region(0, code, left, rows - code),
        Pane.TRACE: Region(left, 0, right, trace),
        Pane.PARAMETERS: Region(left, trace, right, parameters),
        Pane.DATA: Region(left, trace + parameters, right, data),
        Pane.LOSS: Region(left, below, right, rows - below),
    }
