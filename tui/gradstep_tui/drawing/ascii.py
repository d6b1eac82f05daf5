"""Plainer characters, for terminals that cannot show others: ASCII only, or no braille."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gradstep_tui.drawing.dots import DOWN, EMPTY, dots_of
from gradstep_tui.text.lookalikes import TABLE

LEVELS: Final = "'--."
"""Character for dots in each row of a cell, from the top."""

MANY: Final = 6
"""Number of dots from which a cell is full."""


class AsciiFilter(LineFilter):
    """Replaces everything that any screen draws by ASCII of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with ASCII text of the same width."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=to_ascii(segment.text))
            for segment in segments
        ]


class BlocksFilter(LineFilter):
    """Replaces braille by half blocks, for terminals whose fonts have none, such as the Linux console."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without braille."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=segment.text.translate(_HALVES))
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """Return text in ASCII that takes as many cells: one `?` per cell for a character without lookalike."""
    return "".join(char if char.isascii() else _PLAIN.get(ord(char), "?" * cell_len(char)) for char in text)


def _sign(dots: Sequence[tuple[int, int]]) -> str:
    """Return the ASCII character that looks most like dots, each given as its row and column."""
    if not dots:
        return " "
    if len(dots) >= MANY:
        return "#"
    left, right = ([row for row, column in dots if column == side] for side in (0, 1))
    if left and right:
        falls = sum(right) / len(right) - sum(left) / len(left)
        if abs(falls) >= 1:
            return "\\" if falls > 0 else "/"
    elif len(dots) > DOWN // 2:
        return "|"
    return LEVELS[round(sum(row for row, _ in dots) / len(dots))]


def _halves(dots: Sequence[tuple[int, int]]) -> str:
    upper, lower = (any(row // 2 == half for row, _ in dots) for half in (0, 1))
    return "█" if upper and lower else "▀" if upper else "▄" if lower else " "


_BRAILLE: Final = [chr(EMPTY + bits) for bits in range(256)]
_PLAIN: Final = TABLE | {ord(char): _sign(dots_of(char)) for char in _BRAILLE}
_HALVES: Final = {ord(char): _halves(dots_of(char)) for char in _BRAILLE}
