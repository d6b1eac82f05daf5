"""Colours for numbers: a perceptual colour map, and a plot of half-block cells that it fills.

The map is viridis by Nathaniel Smith, Stéfan van der Walt and Eric Firing, who gave it to the public domain
(CC0) with matplotlib: 24 of its 256 colours. It is dark for low numbers, and grows lighter evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from gradstep_tui.drawing.canvas import Canvas
from gradstep_tui.drawing.lines import Line, Span, on_colour

VIRIDIS: Final = (
    "#440154",
    "#471164",
    "#482071",
    "#472e7c",
    "#443b84",
    "#3f4889",
    "#39558c",
    "#34618d",
    "#2f6c8e",
    "#2a768e",
    "#26818e",
    "#228b8d",
    "#1f958b",
    "#1fa088",
    "#24aa83",
    "#2fb47c",
    "#40bd72",
    "#56c667",
    "#70cf57",
    "#8bd646",
    "#a8db34",
    "#c5e021",
    "#e2e418",
    "#fde725",
)
"""Colours from the lowest number to the highest."""

VIRIDIS_256: Final = tuple(
    colour
    for colour, count in (
        ("#5f005f", 2), ("#5f0087", 2), ("#005faf", 3), ("#008787", 3), ("#00af87", 3), ("#5faf5f", 2),
        ("#5fd75f", 2), ("#87d75f", 2), ("#afd75f", 2), ("#d7d700", 2), ("#ffd700", 1),
    )
    for _ in range(count)
)  # fmt: skip
"""The same from the 256 colours that all such terminals have: nearest ones would not grow lighter evenly."""

UNKNOWN: Final = "#808080"
"""Colour for what is no finite number."""

HALF: Final = "▀"
"""Character whose upper half has the colour of the text, and its lower half that of the background."""

BLACK, WHITE = "#000000", "#ffffff"

LINE: Final = 0.25
"""Share of black or white in the colour of a contour line."""

LIGHT: Final = 0.18
"""Luminance from which black is easier to read on a colour than white."""


TINTS: Final = {
    True: {
        1: "#241a10", 2: "#38220f", 3: "#4a2a10", 4: "#632c0f",
        -1: "#121c28", -2: "#16283f", -3: "#1a2e57", -4: "#1c2e78",
    },
    False: {
        1: "#fff6ec", 2: "#ffecd9", 3: "#ffe0c2", 4: "#ffd3a8",
        -1: "#f0f6ff", -2: "#e0edff", -3: "#cfe3ff", -4: "#bcd8ff",
    },
}  # fmt: skip
"""Background of a number by its heat, on a dark screen and on a light one: orange above 0, blue below."""

TEXT: Final = {True: "#e6e6e6", False: "#1a1a1a"}
"""Colour of a number on any of the tints, on a dark screen and on a light one."""


class HeatCanvas(Canvas):
    """A grid of cells of two pixels each, one above the other, with signs over them."""

    def __init__(self, width: int, height: int, palette: Sequence[str]) -> None:
        """Make a grid for a colour map, from the lowest number's colour to the highest's."""
        super().__init__(width, height)
        self.palette = palette
        self._pixels = [[UNKNOWN] * self.width for _ in range(2 * self.height)]
        self._inks = [[BLACK] * self.width for _ in range(2 * self.height)]
        """Black or white for each pixel, whichever stands out."""

    def fill(self, levels: Sequence[Sequence[int | None]], contour: int) -> None:
        """Colour all pixels, and draw contour lines.

        Args:
            levels: Index in the palette of each pixel's colour, by row from the top and column; None for what
                is no number.
            contour: Number of levels from one contour line to the next.
        """
        bands = [[None if level is None else level // contour for level in row] for row in levels]
        for y, row in enumerate(levels):
            below = bands[min(y + 1, len(bands) - 1)]
            for x, level in enumerate(row):
                found = UNKNOWN if level is None else self.palette[level]
                beside = bands[y][min(x + 1, len(row) - 1)]
                on_line = bands[y][x] != below[x] or bands[y][x] != beside
                ink = self._inks[y][x] = contrast(found)
                self._pixels[y][x] = mixed(found, ink, LINE) if on_line else found

    def stroke(self, places: Sequence[tuple[float, float]]) -> None:
        """Draw a line that stands out from what is below it, through places given in pixels."""
        passed = set[tuple[int, int]]()
        for (x, y), (to_x, to_y) in pairwise(places):
            size = max(abs(to_x - x), abs(to_y - y))
            count = min(max(2 * round(size), 1), 4 * (self.width + self.height))
            for step in range(count + 1):
                passed.add((int(x + (to_x - x) * step / count), int(y + (to_y - y) * step / count)))
        for column, row in passed:
            if 0 <= column < self.width and 0 <= row < 2 * self.height:
                self._pixels[row][column] = self._inks[row][column]

    def put(self, column: int, row: int, char: str, role: str = "") -> None:
        """Write a sign over a cell, in black or white; its role is not needed."""
        if 0 <= column < self.width and 0 <= row < self.height:
            below = self._pixels[2 * row + 1][column]
            super().put(column, row, char, on_colour(contrast(below), below))

    def lines(self) -> list[Line]:
        """Return the rows as lines."""
        for row in range(self.height):
            for column in range(self.width):
                if self.at(column, row) == " ":
                    upper, lower = self._pixels[2 * row][column], self._pixels[2 * row + 1][column]
                    super().put(column, row, HALF, on_colour(upper, lower))
        return super().lines()


def bar_spans(palette: Sequence[str]) -> list[Span]:
    """Return every second colour of a map in a row, from the lowest to the highest."""
    return [Span(" ", on_colour(BLACK, found)) for found in (*palette[:-1:2], palette[-1])]


def contrast(found: str) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    return BLACK if luminance(found) >= LIGHT else WHITE


def mixed(found: str, other: str, share: float) -> str:
    """Return a colour with a share of another one in it."""
    pairs = zip(bytes.fromhex(found[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(one + (two - one) * share) for one, two in pairs).hex()


def luminance(found: str) -> float:
    """Return the relative luminance of a colour, from 0 to 1."""
    parts = [part / 255 for part in bytes.fromhex(found[1:])]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
