"""The lines between two layers of a drawn graph.

A net goes down from the layer above, across in one row, and down to the layer below. Lines that cross without
being connected are drawn as `─│─`; a corner, or a sign with three or four arms, connects lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from gradstep_tui.drawing.graphs.layers import Net

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

SIGNS: Final = {
    UP | DOWN: "│",
    LEFT | RIGHT: "─",
    UP | LEFT: "┘",
    UP | RIGHT: "└",
    DOWN | LEFT: "┐",
    DOWN | RIGHT: "┌",
    UP | DOWN | LEFT: "┤",
    UP | DOWN | RIGHT: "├",
    UP | LEFT | RIGHT: "┴",
    DOWN | LEFT | RIGHT: "┬",
    UP | DOWN | LEFT | RIGHT: "┼",
}
"""Character for each set of arms."""


@dataclass(slots=True, eq=False)
class _Wire:
    """A net, or a part of a net: from columns above to one column below, across in one row."""

    net: Net
    above: frozenset[int]
    below: int
    after: _Wire | None = None
    """First part of the net, if this is the second part; otherwise None."""

    row: int = 0
    """Row in which the wire goes across."""

    end: int | None = None
    """Row of the net's second part, if this is the first part; otherwise None."""

    left: int = field(init=False)
    right: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = min(self.below, *self.above)
        self.right = max(self.below, *self.above)


class Wires:
    """Routes the lines between two layers."""

    def __init__(self, begins: Iterable[tuple[Net, int]], ends: Iterable[tuple[Net, int]]) -> None:
        """Choose a row for each net.

        Args:
            begins: Nets and the columns in which they begin above; a net may begin in several.
            ends: Nets and the columns in which they end below, one for each net. All columns are even.
        """
        above: dict[Net, set[int]] = {}
        lead = False
        for net, column in begins:
            columns = above.setdefault(net, set())
            lead = lead or column - 2 in columns  # two lines of one node, which must not look like one
            columns.add(column)
        wires = [_Wire(net, frozenset(above[net]), column) for net, column in ends]
        self._straight = [wire for wire in wires if wire.left == wire.right]
        aside = max((wire.right for wire in wires), default=0) + 2
        self._rows = _in_rows([wire for wire in wires if wire.left < wire.right], aside, int(lead))
        self.height = max(len(self._rows), 1)
        self.right = max((wire.right for row in [*self._rows, self._straight] for wire in row), default=0)

    def paint(self, put: Callable[[int, int, str], None]) -> None:
        """Draw the lines.

        Args:
            put: Draws a character at a row and a column, over an earlier one.
        """
        for row, wires in enumerate(self._rows):
            for wire in wires:
                for column in range(wire.left, wire.right + 1):
                    put(row, column, SIGNS[LEFT | RIGHT])
        for wire in self._straight:
            for row in range(self.height):
                put(row, wire.left, SIGNS[UP | DOWN])
        for row, wires in enumerate(self._rows):
            for wire in wires:
                self._paint_ends(wire, row, put)

    def _paint_ends(self, wire: _Wire, row: int, put: Callable[[int, int, str], None]) -> None:
        for column in wire.above:
            for other in range(0 if wire.after is None else wire.after.row + 1, row):
                put(other, column, SIGNS[UP | DOWN])
        for other in range(row + 1, self.height if wire.end is None else wire.end):
            put(other, wire.below, SIGNS[UP | DOWN])
        for column in {*wire.above, wire.below}:
            arms = UP * (column in wire.above) | DOWN * (column == wire.below)
            put(row, column, SIGNS[arms | LEFT * (column > wire.left) | RIGHT * (column < wire.right)])


def _in_rows(wires: list[_Wire], aside: int, first: int) -> list[list[_Wire]]:
    """Return the wires of each row, chosen so that in every column lines from above end before others begin.

    Args:
        wires: Wires, none of them straight.
        aside: First column that is free from top to bottom.
        first: Number of the first row.
    """
    rows: list[list[_Wire]] = [[] for _ in range(first)]
    begins = {column: wire for wire in wires for column in wire.above}
    waiting = sorted(wires, key=lambda wire: wire.left)
    while waiting:
        free = [wire for wire in waiting if begins.get(wire.below, wire) is wire]
        if not free:  # every wire waits for another: send one of them round through a free column
            split = begins[waiting[0].below]
            free = [_Wire(split.net, split.above, aside, split.after)]
            waiting.remove(split)
            waiting += [*free, _Wire(split.net, frozenset((aside,)), split.below, free[0])]
            aside += 2
        row: list[_Wire] = []
        for wire in free:
            if not row or row[-1].right < wire.left:
                row.append(wire)
                wire.row = len(rows)
                for column in wire.above:
                    begins.pop(column, None)
        for wire in row:
            if wire.after is not None:
                wire.after.end = wire.row
        placed = set(map(id, row))
        waiting = [wire for wire in waiting if id(wire) not in placed]
        rows.append(row)
    return rows
