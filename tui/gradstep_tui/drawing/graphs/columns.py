"""Chooses the columns of a drawn graph's items so that as many lines as possible go straight down."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from gradstep_tui.drawing.graphs.layers import Item

GAP: Final = 2
"""Smallest number of free columns between two boxes."""

SWEEPS: Final = 7
"""Number of times that all items are placed again, alternately from the top down and from the bottom up."""


class Columns:
    """Columns of items and of the lines at them. All columns are even, so that no two lines touch."""

    def __init__(self, rows: Sequence[Sequence[Item]], widths: Mapping[int, int]) -> None:
        """Place all items.

        Args:
            rows: Items of each layer, from left to right.
            widths: Width of each node's box, in cells; odd numbers.
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
        """Return the number of columns that an item has on each side of its middle."""
        return 0 if item.node is None else max(self._widths[item.node] // 2, len(item.outs), len(item.ins))

    def middle(self, item: Item) -> int:
        """Return an item's middle column."""
        return self._at[id(item)]

    def outs(self, item: Item) -> list[int]:
        """Return the columns in which lines leave an item, in the order of `item.outs`."""
        return [self._at[id(item)] + offset for offset in _offsets(len(item.outs))]

    def ins(self, item: Item) -> list[int]:
        """Return the columns in which lines enter an item, in the order of `item.ins`."""
        return [self._at[id(item)] + offset for offset in _offsets(len(item.ins))]

    def _wanted(self, item: Item, down: bool) -> int:
        """Return the middle column that makes most of an item's lines straight.

        Lines are weighted by how far down the graph they lead.

        Args:
            item: The item.
            down: Whether to align it with the layer above; otherwise with the layer below.
        """
        found: list[tuple[int, int]] = []
        if down:
            offsets = dict(zip(item.ins, _offsets(len(item.ins)), strict=True))
            senders = {id(sender): sender for sender in item.above}.values()
            for sender in senders:
                for net, column in zip(sender.outs, self.outs(sender), strict=True):
                    if net in offsets:
                        found.append((column - offsets[net], sender.depth))
        else:
            for net, offset, below in zip(item.outs, _offsets(len(item.outs)), item.below, strict=True):
                found.append((self.ins(below)[below.ins.index(net)] - offset, below.depth))
        return _median(sorted(found)) if found else self._at[id(item)]

    def _spread(self, row: Sequence[Item], wanted: Sequence[int]) -> None:
        """Place a row's items in their wanted columns, or as near to them as their widths permit.

        This is an isotonic regression: neighbours that would overlap form a block, and the block is placed at
        the median of its members' wanted columns. The median is weighted by how far down the graph an item
        leads, so that long paths go straight.
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
        """Return the middle columns of a row's items if all are packed as tightly as possible."""
        starts = [0] * bool(row)
        for before, item in itertools.pairwise(row):
            need = self.half(before) + self.half(item) + GAP
            starts.append(starts[-1] + need + need % 2)
        return starts


def _offsets(count: int) -> list[int]:
    return [2 * (number - (count - 1) // 2) for number in range(count)]


def _median(wanted: Sequence[tuple[int, int]]) -> int:
    """Return the weighted median of pairs of a column and a weight, in ascending order."""
    half, seen = sum(weight for _, weight in wanted) / 2, 0
    for column, weight in wanted:
        seen += weight
        if seen >= half:
            return column
    raise ValueError("an empty sequence has no median")
