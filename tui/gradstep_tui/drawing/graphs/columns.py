"""Where across the items of a drawn graph stand: as far as possible, lines go straight down."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from gradstep_tui.drawing.graphs.layers import Item

GAP: Final = 2
"""Free columns between two boxes, at the least."""

SWEEPS: Final = 7
"""How often they are placed anew, first from above."""


class Columns:
    """The columns of items and of their ports; all are even, so that no two lines touch."""

    def __init__(self, rows: Sequence[Sequence[Item]], widths: Mapping[int, int]) -> None:
        """Place all items.

        Args:
            rows: The layers.
            widths: For each node, the width of its box; an odd number.
        """
        self._widths = widths
        self._at: dict[int, int] = {}
        for row in rows:
            self._spread(row, [0] * len(row))
        for number in range(SWEEPS):
            down = number % 2 == 0
            for row in rows if down else rows[::-1]:
                self._spread(row, [self._wanted(item, down) for item in row])
        left = min((self._at[id(item)] - self.half(item) for row in rows for item in row), default=0)
        move = -left + left % 2
        self._at = {key: column + move for key, column in self._at.items()}

    def half(self, item: Item) -> int:
        """Give the columns of an item on each side of its middle."""
        return 0 if item.node is None else max(self._widths[item.node] // 2, len(item.outs), len(item.ins))

    def middle(self, item: Item) -> int:
        """Give an item's middle column."""
        return self._at[id(item)]

    def outs(self, item: Item) -> list[int]:
        """Give the columns in which its lines begin, in the order of `item.outs`."""
        return [self._at[id(item)] + offset for offset in _offsets(len(item.outs))]

    def ins(self, item: Item) -> list[int]:
        """Give the columns in which lines end in it, in the order of `item.ins`."""
        return [self._at[id(item)] + offset for offset in _offsets(len(item.ins))]

    def _wanted(self, item: Item, down: bool) -> int:
        """Give the middle that makes most lines of it straight; who leads further down counts for more."""
        found: list[tuple[int, int]] = []
        if down:
            offsets = dict(zip(item.ins, _offsets(len(item.ins)), strict=True))
            senders = {id(one): one for one in item.above}.values()
            for sender in senders:
                for net, column in zip(sender.outs, self.outs(sender), strict=True):
                    if net in offsets:
                        found.append((column - offsets[net], sender.depth))
        else:
            for net, offset, below in zip(item.outs, _offsets(len(item.outs)), item.below, strict=True):
                found.append((self.ins(below)[below.ins.index(net)] - offset, below.depth))
        return _median(sorted(found)) if found else self._at[id(item)]

    def _spread(self, row: Sequence[Item], wanted: Sequence[int]) -> None:
        """Put a row's items where they are wanted, or as near as their widths let them.

        It is a regression that keeps the order: neighbours that are too close become one block, which goes
        where the median of its members is wanted. Who leads further down counts for more, so that the long
        ways go straight.
        """
        starts = self._starts(row)
        blocks: list[list[tuple[int, int]]] = []
        for item, column, start in zip(row, wanted, starts, strict=True):
            blocks.append([(column - start, item.depth)])
            while len(blocks) > 1 and _median(blocks[-2]) > _median(blocks[-1]):
                last = blocks.pop()
                blocks[-1] = sorted(blocks[-1] + last)
        columns = [_median(block) for block in blocks for _ in block]
        for item, column, start in zip(row, columns, starts, strict=True):
            self._at[id(item)] = column + start

    def _starts(self, row: Sequence[Item]) -> list[int]:
        """Give the middles of a row's items where all stand as near to the first as they can."""
        starts = [0] * bool(row)
        for before, item in itertools.pairwise(row):
            need = self.half(before) + self.half(item) + GAP
            starts.append(starts[-1] + need + need % 2)
        return starts


def _offsets(count: int) -> list[int]:
    return [2 * (number - (count - 1) // 2) for number in range(count)]


def _median(wanted: Sequence[tuple[int, int]]) -> int:
    """Give the median of columns, ascending, that have weights."""
    half, seen = sum(weight for _, weight in wanted) / 2, 0
    for column, weight in wanted:
        seen += weight
        if seen >= half:
            return column
    raise ValueError("there is no median of nothing")
