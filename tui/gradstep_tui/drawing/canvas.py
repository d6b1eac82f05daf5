"""A plot of characters, with numbers beside and below it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.scales import Scale
from gradstep_tui.text.numbers import cell

AXIS: Final = 12
"""Cells for the numbers beside a plot."""


class Canvas:
    """Cells, each a character and its role; row 0 is at the top."""

    def __init__(self, width: int, height: int) -> None:
        """Begin with blanks."""
        self.width, self.height = max(width, 1), max(height, 1)
        self._cells = [[Span(" ")] * self.width for _ in range(self.height)]

    def put(self, column: int, row: int, char: str, role: str = "") -> None:
        """Write one character; outside, nothing happens."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._cells[row][column] = Span(char, role)

    def at(self, column: int, row: int) -> str:
        """Give the character at a place; empty outside."""
        inside = 0 <= column < self.width and 0 <= row < self.height
        return self._cells[row][column].text if inside else ""

    def point(self, across: Scale, up: Scale, x: float, y: float, char: str, role: str = "") -> bool:
        """Write one character where two numbers meet; gives whether that is inside."""
        found = self.place(across, up, x, y)
        if found is not None:
            self.put(*found, char, role)
        return found is not None

    def place(self, across: Scale, up: Scale, x: float, y: float) -> tuple[int, int] | None:
        """Give the column and row where two numbers meet; None outside."""
        column, row = across.place(x, self.width), up.place(y, self.height)
        return None if column is None or row is None else (column, self.height - 1 - row)

    def lines(self) -> list[Line]:
        """Give the rows, with neighbours of one role joined."""
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
        """Give the rows with the numbers at both ends of both axes, and what runs across.

        Args:
            across: The axis below.
            up: The axis to the left.
            name: What runs across.
            write: Writes the numbers of the axis below.
        """
        labels = {0: cell(up.high), self.height - 1: cell(up.low)}
        rows = [
            line(Span(f"{labels.get(number, ''):>{AXIS - 1}} ", "dim"), *row)
            for number, row in enumerate(self.lines())
        ]
        low, high = write(across.low), write(across.high)
        middle = name.center(max(self.width - len(low) - len(high), 0))[: max(self.width - len(low), 0)]
        return [*rows, line(Span(f"{'':{AXIS}}{low}{middle}{high}", "dim"))]
