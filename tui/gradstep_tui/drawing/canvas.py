"""A plot of characters, with numbers at its axes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.scales import Scale
from gradstep_tui.text.tensors.numbers import cell

AXIS: Final = 12
"""Width of the numbers to the left of a plot, in cells."""


class Canvas:
    """A grid of cells, each with a character and a role; row 0 is at the top."""

    def __init__(self, width: int, height: int) -> None:
        """Make a grid of blanks, with at least one cell."""
        self.width, self.height = max(width, 1), max(height, 1)
        self._cells = [[Span(" ")] * self.width for _ in range(self.height)]

    def put(self, column: int, row: int, char: str, role: str = "") -> None:
        """Write a character into a cell; outside the grid, nothing happens."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._cells[row][column] = Span(char, role)

    def at(self, column: int, row: int) -> str:
        """Return the character in a cell; an empty string outside the grid."""
        inside = 0 <= column < self.width and 0 <= row < self.height
        return self._cells[row][column].text if inside else ""

    def point(self, across: Scale, up: Scale, x: float, y: float, char: str, role: str = "") -> bool:
        """Write a character at the point (x, y); return whether the point is inside the grid."""
        found = self.place(across, up, x, y)
        if found is not None:
            self.put(*found, char, role)
        return found is not None

    def place(self, across: Scale, up: Scale, x: float, y: float) -> tuple[int, int] | None:
        """Return the column and row of the point (x, y); None if the point is outside the grid."""
        column, row = across.place(x, self.width), up.place(y, self.height)
        return None if column is None or row is None else (column, self.height - 1 - row)

    def lines(self) -> list[Line]:
        """Return the rows as lines, with neighbouring cells of the same role joined into one span."""
        return [
            tuple(
                Span("".join(span.text for span in spans), role)
                for role, spans in groupby(row, key=lambda span: span.role)
            )
            for row in self._cells
        ]

    def with_axes(
        self, across: Scale, up: Scale, name: str, write: Callable[[float], str] = cell
    ) -> list[Line]:
        """Return the rows with labelled axes: a number at each end, and the horizontal axis's name below.

        Args:
            across: Scale of the horizontal axis.
            up: Scale of the vertical axis.
            name: Name of the horizontal axis.
            write: Formats the numbers of the horizontal axis.
        """
        labels = {0: cell(up.high), self.height - 1: cell(up.low)}
        rows = [
            line(Span(f"{labels.get(number, ''):>{AXIS - 1}} ", "dim"), *row)
            for number, row in enumerate(self.lines())
        ]
        low, high = write(across.low), write(across.high)
        middle = name.center(max(self.width - len(low) - len(high), 0))[: max(self.width - len(low), 0)]
        return [*rows, line(Span(f"{'':{AXIS}}{low}{middle}{high}", "dim"))]
