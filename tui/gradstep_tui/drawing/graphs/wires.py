"""The lines between two layers of a drawn graph.

A net goes down from where it begins, across in one row, and down to where it ends. A line that crosses
another one goes over it, as in `─│─`; a corner, or a sign with three or four arms, joins.
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
"""What is drawn, by the arms that it has."""


@dataclass(slots=True, eq=False)
class _Wire:
    """A net, or a part of one: from columns above to one below, across in one row."""

    net: Net
    above: frozenset[int]
    below: int
    after: _Wire | None = None
    """For the second part of a net: the first one."""

    row: int = 0
    end: int | None = None
    """The row of the second part, for the first one."""

    left: int = field(init=False)
    right: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = min(self.below, *self.above)
        self.right = max(self.below, *self.above)


class Wires:
    """Routes the lines between two layers."""

    def __init__(self, begins: Iterable[tuple[Net, int]], ends: Iterable[tuple[Net, int]]) -> None:
        """Find a row for each net.

        Args:
            begins: The columns above, each of one net.
            ends: The columns below, one of each net. All columns are even.
        """
        above: dict[Net, set[int]] = {}
        lead = False
        for net, column in begins:
            columns = above.setdefault(net, set())
            lead = lead or column - 2 in columns  # two of one node, which are to be seen as two
            columns.add(column)
        wires = [_Wire(net, frozenset(above[net]), column) for net, column in ends]
        self._straight = [one for one in wires if one.left == one.right]
        aside = max((one.right for one in wires), default=0) + 2
        self._rows = _in_rows([one for one in wires if one.left < one.right], aside, int(lead))
        self.height = max(len(self._rows), 1)
        self.right = max((one.right for row in [*self._rows, self._straight] for one in row), default=0)

    def paint(self, put: Callable[[int, int, str], None]) -> None:
        """Draw them.

        Args:
            put: Draws a sign, by row and column; later ones replace earlier ones.
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
    """Give each wire a row: in a column, what comes from above stays above what goes down below.

    Args:
        wires: None of them straight.
        aside: From this column on, there is nothing.
        first: The first row's number.
    """
    rows: list[list[_Wire]] = [[] for _ in range(first)]
    begins = {column: one for one in wires for column in one.above}
    waiting = sorted(wires, key=lambda one: one.left)
    while waiting:
        free = [one for one in waiting if begins.get(one.below, one) is one]
        if not free:  # each waits for another one: one of them goes round by a column of its own
            one = begins[waiting[0].below]
            free = [_Wire(one.net, one.above, aside, one.after)]
            waiting.remove(one)
            waiting += [*free, _Wire(one.net, frozenset((aside,)), one.below, free[0])]
            aside += 2
        row: list[_Wire] = []
        for one in free:
            if not row or row[-1].right < one.left:
                row.append(one)
                one.row = len(rows)
                for column in one.above:
                    begins.pop(column, None)
        for one in row:
            if one.after is not None:
                one.after.end = one.row
        placed = set(map(id, row))
        waiting = [one for one in waiting if id(one) not in placed]
        rows.append(row)
    return rows
