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

    def put(self, x: int, y: int, role: str = "") -> None:
        """Set one dot, whose role its whole cell takes; outside the raster, nothing happens."""
        column, row = x // ACROSS, y // DOWN
        if 0 <= column < self.width and 0 <= row < self.height:
            self._bits[row][column] |= BITS[y % DOWN][x % ACROSS]
            self._roles[row][column] = role

    def stroke(self, begin: tuple[int, int], end: tuple[int, int], role: str = "") -> None:
        """Draw a straight line between two dots, with both of them."""
        (x, y), (to_x, to_y) = begin, end
        count = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(count + 1):
            self.put(x + round((to_x - x) * step / count), y + round((to_y - y) * step / count), role)

    def lines(self) -> list[Line]:
        """Return the rows as lines, with neighbouring cells of the same role joined into one span."""
        return [
            tuple(
                Span("".join(char for char, _ in cells), role)
                for role, cells in groupby(
                    zip(map(_char, bits), roles, strict=True), key=lambda cell: cell[1]
                )
            )
            for bits, roles in zip(self._bits, self._roles, strict=True)
        ]


def dots_of(char: str) -> list[tuple[int, int]]:
    """Return the dots of a braille character, each as its row and column in the cell."""
    bits = ord(char) - EMPTY
    return [(row, column) for row in range(DOWN) for column in range(ACROSS) if bits & BITS[row][column]]


def _char(bits: int) -> str:
    return chr(EMPTY + bits) if bits else " "
