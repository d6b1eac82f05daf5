"""Small tables of numbers beside each other, with signs between them, in as much detail as fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.tensors.digits import DIGITS, column_texts
from gradstep_tui.text.tensors.numbers import NOT_KEPT

if TYPE_CHECKING:
    from torch import Tensor

MOST_COLUMNS: Final = 6
"""Largest number of a table's columns that are drawn."""

FEWER_DIGITS: Final = (DIGITS, DIGITS - 1, DIGITS - 2)
"""Significant digits that are tried, before fewer columns are drawn."""

HIDDEN: Final = "…"
"""Stands at the end of a row whose further columns are not shown."""

GAP: Final = 2
"""Cells between two columns."""

Numbers = list[list[float | str | None]]
"""Rows of numbers, at most one more than `MOST_COLUMNS` in each."""


def rows_of(tensor: Tensor | None, first: int = 0, rows: int = 1) -> Numbers:
    """Return some of a tensor's numbers as rows; a vector has a row for each number.

    Args:
        tensor: Any shape; more than two dimensions become two. None for a `.grad` that is None.
        first: First row.
        rows: Number of rows at the most.
    """
    if tensor is None:
        return [["None"]]
    if tensor.is_meta:
        return [[NOT_KEPT]]
    grid = tensor.reshape(-1, 1) if tensor.dim() < 2 else tensor
    some = grid[first : first + rows].flatten(1)[:, : MOST_COLUMNS + 1]
    numbers: Numbers = some.tolist()
    return numbers


class TableLayout(NamedTuple):
    """A way to draw tables."""

    columns: int
    """Largest number of columns of each table."""

    named: bool
    """Whether the names of columns and rows are drawn."""

    digits: int
    """Significant digits of the largest number of a column."""


@dataclass(slots=True)
class Block:
    """One table: its head, the names of its columns, then its numbers, at the right of their columns."""

    head: str
    rows: Numbers
    names: Sequence[str] = ()
    """Names of the columns; they are left out if they are not as many."""

    role: str = ""
    """Role of the numbers."""

    row_names: Sequence[str] = ()
    """Names of the rows, at the left."""

    mark: tuple[int, int] | None = None
    """Row and column of a marked number, among those that are drawn; None for none."""

    least_digits: int = 0
    """Significant digits that the numbers have at least."""

    _texts: dict[int, list[list[str]]] = field(default_factory=dict)
    """Texts of each column's numbers, by the number of digits."""

    _widths: dict[int, list[int]] = field(default_factory=dict)
    """Width of each of these columns."""

    @property
    def wide(self) -> int:
        """Number of columns that there are, as far as it is known."""
        return max(map(len, self.rows), default=0)

    def width(self, layout: TableLayout) -> int:
        """Return the width of the table, with the names of its rows."""
        widths = self.column_widths(layout)
        is_cut = self.wide > layout.columns
        return max(sum(widths) + GAP * (len(widths) - 1) + 2 * is_cut, len(self.head)) + self.left(layout)

    def left(self, layout: TableLayout) -> int:
        """Return the width of the names of the rows."""
        return max(map(len, self.row_names), default=-GAP) + GAP if layout.named else 0

    def texts(self, layout: TableLayout) -> list[str]:
        """Return the texts of all lines, without the names of the rows."""
        widths, names = self.column_widths(layout), self._names(layout)
        inner = self.width(layout) - self.left(layout)
        numbers = zip(names, self._numbers(layout), strict=False)
        columns = [[*([name] if layout.named else []), *texts] for name, texts in numbers]
        gap, end = " " * GAP, f" {HIDDEN}" if self.wide > layout.columns else ""
        rows = [self.head]
        for row in range(len(self.rows) + layout.named):
            cells = (f"{column[row]:>{width}}" for column, width in zip(columns, widths, strict=True))
            rows.append(f"{gap.join(cells)}{end if row >= layout.named else ' ' * len(end)}")
        return [f"{text:>{inner}}" for text in rows]

    def _numbers(self, layout: TableLayout) -> list[list[str]]:
        digits = max(layout.digits, self.least_digits)
        if digits not in self._texts:
            cells = ([row[place] for row in self.rows] for place in range(self.wide))
            self._texts[digits] = [column_texts(cell, digits) for cell in cells]
            self._widths[digits] = [max(map(len, column)) for column in self._texts[digits]]
        return self._texts[digits][: layout.columns]

    def _names(self, layout: TableLayout) -> Sequence[str]:
        shown = min(self.wide, layout.columns)
        fitting = len(self.names) == self.wide or len(self.names) > MOST_COLUMNS < self.wide
        return self.names[:shown] if layout.named and fitting else [""] * shown

    def column_widths(self, layout: TableLayout) -> list[int]:
        """Return the widths of the columns that are drawn."""
        self._numbers(layout)
        widths = self._widths[max(layout.digits, self.least_digits)]
        return [max(width, len(name)) for width, name in zip(widths, self._names(layout), strict=False)]


class Fitted(NamedTuple):
    """Tables that fit."""

    lines: list[Line]
    is_cut: bool
    """Whether columns are left out."""

    named: bool
    """Whether the names of columns and rows are drawn."""

    columns: int
    """Largest number of columns of each table."""


def fitted(
    blocks: Sequence[Block], signs: Sequence[str], width: int, *, named: bool, stacked: bool = False
) -> Fitted:
    """Return tables beside each other, with fewer digits, without names or with fewer columns if need be.

    Args:
        blocks: The tables.
        signs: Sign between each table and the next, in the first row of numbers.
        width: Largest width, in cells; it may take more if nothing else helps.
        named: Whether names may be drawn.
        stacked: Whether further columns can be drawn below, so that names are worth more than columns.
    """
    wide = max(block.wide for block in blocks)
    chosen = TableLayout(1, False, FEWER_DIGITS[-1])
    between = sum(len(sign) + 2 for sign in signs)
    columns = range(min(wide, MOST_COLUMNS), 0, -1)
    layouts = chain(
        product(columns, (True,), FEWER_DIGITS[:-1]) if named and stacked else (),
        product(columns, (True, False) if named else (False,), FEWER_DIGITS),
    )
    for layout in map(TableLayout._make, layouts):
        if sum(block.width(layout) for block in blocks) + between <= width:
            chosen = layout
            break
    return Fitted([*_drawn(blocks, signs, chosen)], wide > chosen.columns, chosen.named, chosen.columns)


def _drawn(blocks: Sequence[Block], signs: Sequence[str], layout: TableLayout) -> Iterator[Line]:
    made = [(block, block.texts(layout), block.left(layout)) for block in blocks]
    heads = 1 + layout.named
    for row in range(max(len(texts) for _, texts, _ in made)):
        spans: list[Span] = []
        for place, (block, texts, left) in enumerate(made):
            if place:
                sign = signs[place - 1] if row == heads else " " * len(signs[place - 1])
                spans.append(Span(f" {sign} ", "key" if row == heads else ""))
            names = block.row_names if left else ()
            name = names[row - heads] if 0 <= row - heads < len(names) else ""
            spans.append(Span(f"{name:<{left}}", "label"))
            text = texts[row] if row < len(texts) else " " * len(texts[0])
            spans += _marked(block, text, row - heads, layout)
        yield line(*spans)


def _marked(block: Block, text: str, row: int, layout: TableLayout) -> list[Span]:
    """Return a line of a table; row -1 and those before are names."""
    if row < 0:
        return [Span(text, "label")]
    if block.mark is None or block.mark[0] != row or block.mark[1] >= layout.columns:
        return [Span(text, block.role)]
    end = len(text) - 2 * (block.wide > layout.columns)
    for width in reversed([*block.column_widths(layout)][block.mark[1] + 1 :]):
        end -= width + GAP
    number = text[:end].rpartition(" ")[2]
    start = end - len(number)
    return [
        Span(part, role)
        for part, role in ((text[:start], block.role), (number, "current"), (text[end:], block.role))
        if part
    ]
