"""A plot of curves made of dots and of single points with signs, between axes with numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from gradstep_tui.drawing.chart import AXIS, short, up_labels
from gradstep_tui.drawing.dots import ACROSS, DOWN, Dots
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.scales import Scale

GAP: Final = 4
"""Dots from one dot of a dotted line to the next."""

APART: Final = 3
"""Smallest distance of two signs of a curve, in cells."""

Point: TypeAlias = tuple[float, float]


class DotPlot:
    """A plot over two scales; what lies outside of them is not drawn."""

    def __init__(self, across: Scale, up: Scale, width: int, height: int) -> None:
        """Make an empty plot.

        Args:
            across: Scale of the horizontal axis.
            up: Scale of the vertical axis.
            width: Width of a line, in cells, with the numbers of the vertical axis.
            height: Number of lines, with the one below the horizontal axis.
        """
        self._across, self._up = across, up
        self._dots = Dots(width - AXIS, height - 1)

    def dot(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the dot at the point (x, y); None if the point is outside the plot."""
        column = self._across.place(x, self._dots.width * ACROSS)
        row = self._up.place(y, self._dots.height * DOWN)
        return None if column is None or row is None else (column, self._dots.height * DOWN - 1 - row)

    def curve(self, points: Sequence[Point], role: str, *, dotted: bool = False) -> None:
        """Draw a line through points; one outside the plot interrupts it."""
        places = [self.dot(*point) for point in points]
        every = GAP if dotted else 1
        for place in places:
            if place is not None and not dotted:
                self._dots.put(*place, role)
        for one, other in pairwise(places):
            if one is not None and other is not None:
                self._dots.stroke(one, other, role, every)

    def sign(self, x: float, y: float, sign: str, role: str, both: str = "") -> None:
        """Write a sign at the point (x, y), or the sign `both` if another one is there already."""
        place = self.dot(x, y)
        if place is None:
            return
        column, row = place[0] // ACROSS, place[1] // DOWN
        there = self._dots.sign_at(column, row)
        self._dots.sign(column, row, both if both and there and there != sign else sign, role)

    def signs(self, points: Iterable[Point], sign: str, role: str, both: str = "") -> None:
        """Write a sign at a curve's points, from the left, but for those too close to the one before."""
        last = -APART * ACROSS
        for x, y in points:
            place = self.dot(x, y)
            if place is not None and place[0] - last >= APART * ACROSS:
                last = place[0]
                self.sign(x, y, sign, role, both)

    def lines(self, name: str, write: Callable[[float], str] = short) -> list[Line]:
        """Return the lines of the plot with its axes.

        Args:
            name: Name of the horizontal axis.
            write: Formats the numbers of the horizontal axis.
        """
        labels = up_labels(self._up, self._dots.height)
        rows = [
            line(Span(f"{labels.get(number, ''):>{AXIS - 1}} ", "dim"), *row)
            for number, row in enumerate(self._dots.lines())
        ]
        below = across_line(write(self._across.low), name, write(self._across.high), self._dots.width)
        return [*rows, line(" " * AXIS, below)]


def across_line(low: str, name: str, high: str, width: int) -> Span:
    """Return a horizontal axis of `width` cells: its lowest number, its name, and its highest number."""
    room = width - len(low) - len(high) - 2
    if room < len(name) + 4:
        return Span(f"{low}{high:>{max(width - len(low), len(high) + 1)}}", "dim")
    return Span(f"{low} {f' {name} '.center(room, '─')} {high}", "dim")
