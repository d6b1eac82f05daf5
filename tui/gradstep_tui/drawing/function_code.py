"""The function around an expression, with the expression lit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.highlight import highlighted, lit
from gradstep_tui.drawing.lines import Line, Span, fitted, length, line
from gradstep_tui.text.statements import visible

if TYPE_CHECKING:
    from gradstep.code_view.called_functions import FunctionCode
    from gradstep.code_view.code_places import CodePlace

MARGIN: Final = 3
"""Cells before the code: the marker, and room for a key as the loop has it."""


def function_lines(place: CodePlace, width: int, height: int, digits: int = 0) -> list[Line]:
    """Return the lines of a function that fit, with the lit expression among them.

    Args:
        place: The expression, and the function around it.
        width: Width of a line, in cells; a longer line is moved to the left so that the lit part is visible.
        height: Number of lines that fit.
        digits: Width of the column of line numbers; 0 for no such column.
    """
    rows = highlighted(tuple(visible(row) for row in place.lines))
    margin = MARGIN + len(number_text(0, digits))
    span = place.span or (place.line, place.line, 0, 0)
    first, last = span[0] - place.first, span[1] - place.first
    start = window_around(first, last, len(rows), height)
    drawn = []
    for number in range(start, min(start + height, len(rows))):
        row, begin, end = rows[number], 0, 0
        if place.span is not None and first <= number <= last:
            begin, end = lit_part(place, number)
            row = lit(row, begin, end)
        marker = Span(">" if number == place.line - place.first else " ", "key")
        of_file = Span(number_text(place.first + number, digits), "dim")
        drawn.append(line(marker, of_file, " " * (MARGIN - 1), *_moved(row, begin, end, width - margin)))
    return drawn


def number_text(number: int, digits: int) -> str:
    """Return a line number in a column of some digits, and the gap after it; empty for no column."""
    return f"{number:>{digits}} " if digits else ""


def resting_lines(function: FunctionCode, width: int, digits: int = 0) -> list[Line]:
    """Return the lines of a function in which nothing is lit, with line numbers of some digits."""
    rows = highlighted(tuple(visible(row) for row in function.lines))
    margin, gap = MARGIN + len(number_text(0, digits)), " " * (MARGIN - 1)
    return [
        line(" ", Span(number_text(number, digits), "dim"), gap, *_moved(row, 0, 0, width - margin))
        for number, row in enumerate(rows, function.line)
    ]


def window_around(first: int, last: int, count: int, height: int) -> int:
    """Return the first of `height` rows to draw, so that rows `first` to `last` are visible, and more."""
    spare = max(height - (last - first + 1), 0)
    return min(max(first - (spare + 1) // 2, 0), max(count - height, 0))


def lit_part(place: CodePlace, number: int) -> tuple[int, int]:
    """Return the first cell and the cell after the last of the lit part of a line, as `visible` draws it.

    Args:
        place: The expression.
        number: Number of the line in `place.lines`, counted from 0.
    """
    assert place.span is not None
    first, last, begin, end = place.span
    text = place.lines[number]
    if number != first - place.first:
        begin = len(text) - len(text.lstrip())
    if number != last - place.first:
        end = len(text)
    return len(text[:begin].expandtabs(4)), len(text[:end].expandtabs(4))


def _moved(row: Line, first: int, last: int, width: int) -> Line:
    """Return a row that fits; if its lit part would not be seen, what stands before it is left out."""
    if length(row) <= width or last <= width - 1:
        return fitted(row, width) if length(row) > width else row
    left = min(first, last - width + 2) if last - first < width else first
    kept, at = list[Span](), 0
    for text, role in row:
        kept.append(Span(text[max(left - at, 0) :], role))
        at += len(text)
    moved = line(Span("…", "dim"), *kept)
    return fitted(moved, width) if length(moved) > width else moved
