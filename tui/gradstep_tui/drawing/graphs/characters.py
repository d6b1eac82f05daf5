"""Draws a graph, laid out in layers, as rows of characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gradstep_tui.drawing.graphs.columns import Columns
from gradstep_tui.drawing.graphs.layers import Item, Net, layered
from gradstep_tui.drawing.graphs.wires import Wires

TALL, FLAT = 3, 1
"""Heights of a node, in rows: a box around its label, or the label in brackets."""

TOP: Final = "╭─╮"
BOTTOM: Final = "╰─╯"


@dataclass(frozen=True, slots=True)
class Box:
    """Position and size of a node's box, in cells."""

    row: int
    column: int
    width: int
    height: int

    @property
    def label_row(self) -> int:
        """Row of the node's label."""
        return self.row + self.height // 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph as rows of characters, all of one length."""

    rows: tuple[str, ...]
    boxes: tuple[Box, ...]
    """Box of each node, by the node's index. The first column inside a box is free, for a sign."""

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else 0


class Plan:
    """A graph in layers; it can be drawn more than once, with different labels."""

    def __init__(self, edges: Sequence[Sequence[Net]]) -> None:
        """Arrange a graph's nodes in layers.

        Args:
            edges: For each node, the inputs of other nodes that its lines lead to.
        """
        self._rows = layered(edges)
        self._count = len(edges)

    def draw(self, labels: Sequence[str], height: int = FLAT) -> Drawing:
        """Return the drawn graph.

        Args:
            labels: Text in each node's box.
            height: Height of a node: `TALL` or `FLAT`.
        """
        widths = {node: len(label) + 5 - len(label) % 2 for node, label in enumerate(labels)}
        columns = Columns(self._rows, widths)
        channels = [
            _wires(upper, lower, columns) for upper, lower in zip(self._rows, self._rows[1:], strict=False)
        ]
        items = [item for row in self._rows for item in row]
        right = max((columns.middle(item) + columns.half(item) for item in items), default=-1)
        width = max([right, *(channel.right for channel in channels)]) + 1
        canvas: list[list[str]] = []
        boxes: dict[int, Box] = {}
        for number, row in enumerate(self._rows):
            top = len(canvas)
            canvas.extend([" "] * width for _ in range(height))
            for item in row:
                if item.node is None:
                    for part in range(height):
                        canvas[top + part][columns.middle(item)] = "│"
                else:
                    half = columns.half(item)
                    box = Box(top, columns.middle(item) - half, 2 * half + 1, height)
                    boxes[item.node] = box
                    _paint_box(canvas, box, labels[item.node])
            if number < len(channels):
                _paint_wires(canvas, channels[number], width)
        return Drawing(
            tuple("".join(row) for row in canvas), tuple(boxes[node] for node in range(self._count))
        )


def _wires(upper: Sequence[Item], lower: Sequence[Item], columns: Columns) -> Wires:
    begins = [pair for item in upper for pair in zip(item.outs, columns.outs(item), strict=True)]
    ends = [pair for item in lower for pair in zip(item.ins, columns.ins(item), strict=True)]
    return Wires(begins, ends)


def _paint_wires(canvas: list[list[str]], wires: Wires, width: int) -> None:
    top = len(canvas)
    canvas.extend([" "] * width for _ in range(wires.height))

    def put(row: int, column: int, sign: str) -> None:
        canvas[top + row][column] = sign

    wires.paint(put)


def _paint_box(canvas: list[list[str]], box: Box, label: str) -> None:
    inside = f"  {label}".ljust(box.width - 2)
    sides = "[]" if box.height == FLAT else "││"
    rows = [(box.label_row, f"{sides[0]}{inside}{sides[1]}")]
    if box.height != FLAT:
        for row, (left, middle, right) in ((box.row, TOP), (box.row + 2, BOTTOM)):
            rows.append((row, f"{left}{middle * (box.width - 2)}{right}"))
    for row, text in rows:
        canvas[row][box.column : box.column + box.width] = text
