"""A plot of pixels in a perceptual colour map, with contour lines, strokes and letters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gradstep_tui.drawing.canvas import Canvas
from gradstep_tui.drawing.heat import BLACK, LINE, UNKNOWN, WHITE, contrast, mixed
from gradstep_tui.drawing.lines import Span, on_colour
from gradstep_tui.drawing.scales import Scale

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
IndexArray: TypeAlias = npt.NDArray[np.uint8]

SHADES: Final = 120
"""Colours of the map, each of which has another one for contour lines."""

DARK, LIGHT, GREY, ACCENT = range(2 * SHADES, 2 * SHADES + 4)
"""Places of the other colours: of outlines, of strokes, of what is no number, and of what stands out."""

RED: Final = "#ff4136"

_COLUMNS: Final = bytes.fromhex(
    "3e5149453e 00427f4000 4261514946 2141454b31 1814127f10 2745454539 3c4a494930 0171090503 "
    "3649494936 064949291e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090901 "
    "3e4149497a 7f0808087f 00417f4100 2040413f01 7f40404040 4649494931 6314081463 2054545478 "
    "7f48444438 3844444420 384444487f 3854545418 087e090102 0c5252523e 7f08040478 00447d4000 "
    "2040443d00"
)
LETTERS: Final = {
    char: _COLUMNS[5 * place : 5 * place + 5]
    for place, char in enumerate("0123456789ABCDEFGHIJLSXabcdefghij")
}
"""The signs that can be written at any pixel: five columns of seven dots, the lowest bit at the top."""

LETTER_HEIGHT: Final = 10
"""Pixels of a cell's height for each pixel of a letter's dots."""


class PixelCanvas(Canvas):
    """A grid of cells, each of some pixels; its lines of text are blank."""

    def __init__(
        self, width: int, height: int, palette: Sequence[str], cell: tuple[int, int], most: int | None = None
    ) -> None:
        """Make a grid for a colour map.

        Args:
            width: Number of cells across.
            height: Number of cells upwards.
            palette: Colours from the lowest number to the highest.
            cell: Pixels of a cell, across and upwards.
            most: Pixels along the longer side that are enough, if the terminal enlarges pictures; None if it
                does not.
        """
        super().__init__(width, height)
        blank = on_colour("", palette[0])
        self._cells = [[Span(" ", blank)] * self.width for _ in range(self.height)]
        longer = max(self.width * cell[0], self.height * cell[1])
        part = 1.0 if most is None else min(1.0, most / longer)
        self._cell = tuple(max(round(side * part), 1) for side in cell)
        self.colours = colours_of(palette)
        """Colours of the pixels, as `#440154`."""

        self.pixels: IndexArray = np.full((self.down, self.across), GREY, np.uint8)
        """Index of each pixel's colour, shape `(down, across)`, the highest row first."""

    @property
    def across(self) -> int:
        """Number of pixels across."""
        return self.width * self._cell[0]

    @property
    def down(self) -> int:
        """Number of pixels upwards."""
        return self.height * self._cell[1]

    @property
    def weight(self) -> float:
        """Width of a stroke, in pixels."""
        return max(self._cell[1] / 9, 1.0)

    def paint(self, shares: FloatArray, bands: npt.NDArray[np.int64]) -> None:
        """Colour all pixels, and draw contour lines.

        Args:
            shares: Place of each pixel's colour in the map, from 0 to 1, shape `(down, across)`; nan for what
                is no number.
            bands: Number of each pixel's band, of the same shape; contour lines lie between bands.
        """
        known = np.isfinite(shares)
        shade = np.minimum(np.where(known, shares, 0) * SHADES, SHADES - 1).astype(np.uint8)
        edge = np.zeros(shares.shape, bool)
        edge[:-1] |= bands[:-1] != bands[1:]
        edge[:, :-1] |= bands[:, :-1] != bands[:, 1:]
        for _ in range(round(self.weight / 2)):
            edge[1:] |= edge[:-1]
            edge[:, 1:] |= edge[:, :-1]
        self.pixels = np.where(known, shade + np.uint8(SHADES) * edge, GREY).astype(np.uint8)

    def stroke(self, places: Sequence[tuple[float, float]], colour: int = LIGHT) -> None:
        """Draw a line with a dark outline through places given in pixels."""
        inside = [
            (
                min(max(x, -self.across), 2 * self.across),
                min(max(y, -self.down), 2 * self.down),
            )
            for x, y in places
        ]
        parts = [
            np.linspace(one, other, 2 + int(max(abs(one[0] - other[0]), abs(one[1] - other[1]))))
            for one, other in pairwise(inside)
        ]
        if parts:
            points = np.concatenate(parts)
            self._stamp(points, self.weight / 2 + 1, DARK)
            self._stamp(points, self.weight / 2, colour)

    def point(self, across: Scale, up: Scale, x: float, y: float, char: str, role: str = "") -> bool:
        """Write a sign at the point (x, y), with a dark outline; return whether it is inside the grid."""
        place = across.share(x) * self.across, (1 - up.share(y)) * self.down
        inside = 0 <= place[0] <= self.across and 0 <= place[1] <= self.down
        if inside:
            self.letter(*place, char, ACCENT if role == "warn" else LIGHT)
        return inside

    def letter(self, x: float, y: float, letter: str, colour: int = LIGHT) -> None:
        """Write a sign, its middle at a place given in pixels, with a dark outline."""
        size = max(round(self._cell[1] / LETTER_HEIGHT), 1)
        dots = np.array([[column >> row & 1 for column in LETTERS[letter]] for row in range(7)])
        rows, columns = np.nonzero(dots.repeat(size, 0).repeat(size, 1))
        points = np.stack([columns - 2.5 * size + x, rows - 3.5 * size + y], 1)
        self._stamp(points, max(size / 2, 1), DARK)
        self._stamp(points, 0, colour)

    def _stamp(self, points: FloatArray, radius: float, colour: int) -> None:
        """Colour all pixels within a radius of points, each given as x and y."""
        reach = np.arange(-int(radius) - 1, int(radius) + 2)
        away = np.array([(x, y) for x in reach for y in reach if x * x + y * y <= max(radius, 0.1) ** 2])
        found = (np.floor(points).astype(int)[:, None] + away[None]).reshape(-1, 2)
        kept = found[(found >= 0).all(1) & (found < (self.across, self.down)).all(1)]
        self.pixels[kept[:, 1], kept[:, 0]] = colour


def colours_of(palette: Sequence[str]) -> tuple[str, ...]:
    """Return the colours of pixels: those of a map, those of contour lines on them, and the others."""
    ends = np.linspace(0, len(palette) - 1, SHADES)
    shades = [
        mixed(palette[int(at)], palette[min(int(at) + 1, len(palette) - 1)], at - int(at))
        for at in ends.tolist()
    ]
    lines = [mixed(found, contrast(found), LINE) for found in shades]
    return (*shades, *lines, BLACK, WHITE, UNKNOWN, RED)


def enlarged(values: FloatArray, across: int, down: int) -> FloatArray:
    """Return the numbers at the pixels of a picture, between those of a grid whose ends are its borders.

    Args:
        values: Numbers on the grid, the lowest row first; nan for those that are not known.
        across: Number of pixels across.
        down: Number of pixels upwards.

    Returns:
        Numbers of shape `(down, across)`, the highest row first.
    """
    rows, columns = values.shape
    up = (1 - (np.arange(down, dtype=np.float32) + 0.5) / down) * (rows - 1)
    right = (np.arange(across, dtype=np.float32) + 0.5) / across * (columns - 1)
    of_rows = _between(values.astype(np.float32), up)
    return _between(of_rows.T, right).T


def _between(values: FloatArray, places: FloatArray) -> FloatArray:
    """Return the rows at places between those of an array."""
    low = np.minimum(places.astype(np.int64), max(len(values) - 2, 0))
    share = (places - low)[:, None]
    found: FloatArray = values[low] * (1 - share) + values[np.minimum(low + 1, len(values) - 1)] * share
    return found
