"""A raster of dots, eight to a terminal cell, drawn as braille."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from gradstep_tui.drawing.lines import Line, Span

ACROSS: Final = 2
DOWN: Final = 4
"""Dots of a cell, across and down."""

EMPTY: Final = 0x2800
"""Code point of the braille character without a dot."""

BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot of a cell in its character's code point, by row and column."""


class Dots:
    """A grid of cells of dots; dot (0, 0) is at the top left."""

    def __init__(self, width: int, height: int) -> None:
        """Make an empty raster of `width` by `height` cells, at least one."""
        self.width, self.height = max(width, 1), max(height, 1)
        self._bits = [[0] * self.width for _ in range(self.height)]
        self._roles = [[""] * self.width for _ in range(self.height)]
        self._signs: dict[tuple[int, int], str] = {}

    def put(self, x: int, y: int, role: str = "") -> None:
        """Set one dot, whose role its whole cell takes; outside the raster, nothing happens."""
        column, row = x // ACROSS, y // DOWN
        if 0 <= column < self.width and 0 <= row < self.height:
            self._bits[row][column] |= BITS[y % DOWN][x % ACROSS]
            if (column, row) not in self._signs:
                self._roles[row][column] = role

    def sign(self, column: int, row: int, char: str, role: str = "") -> None:
        """Write a character over the dots of a cell; outside the raster, nothing happens."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._signs[column, row] = char
            self._roles[row][column] = role

    def sign_at(self, column: int, row: int) -> str:
        """Return the character that is written over a cell; empty if none is."""
        return self._signs.get((column, row), "")

    def stroke(self, begin: tuple[int, int], end: tuple[int, int], role: str = "", every: int = 1) -> None:
        """Draw a straight line between two dots, with both of them.

        Args:
            begin: The first dot.
            end: The last dot.
            role: Role of the cells.
            every: Those dots are set whose column, or row if the line is steep, is a multiple of it.
        """
        (x, y), (to_x, to_y) = begin, end
        count = max(abs(to_x - x), abs(to_y - y), 1)
        steep = abs(to_y - y) > abs(to_x - x)
        for step in range(count + 1):
            column, row = x + round((to_x - x) * step / count), y + round((to_y - y) * step / count)
            if not (row if steep else column) % every:
                self.put(column, row, role)

    def lines(self) -> list[Line]:
        """Return the rows as lines, with neighbouring cells of the same role joined into one span."""
        return [
            tuple(
                Span("".join(char for char, _ in cells), role)
                for role, cells in groupby(
                    (
                        (self._signs.get((column, row)) or _char(bits), role)
                        for column, (bits, role) in enumerate(zip(of_row, roles, strict=True))
                    ),
                    key=lambda cell: cell[1],
                )
            )
            for row, (of_row, roles) in enumerate(zip(self._bits, self._roles, strict=True))
        ]


def dots_of(char: str) -> list[tuple[int, int]]:
    """Return the dots of a braille character, each as its row and column in the cell."""
    bits = ord(char) - EMPTY
    return [(row, column) for row in range(DOWN) for column in range(ACROSS) if bits & BITS[row][column]]


def _char(bits: int) -> str:
    return chr(EMPTY + bits) if bits else " "
