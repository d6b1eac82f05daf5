"""Tables of an equation beside each other, with signs between them, and what of them is not shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep_tui.drawing.lines import Line, Span, beside, length, line, wrapped
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.tensors.digits import column_texts
from gradstep_tui.text.tensors.numbers import cell, cells, is_tensor, row_count
from gradstep_tui.text.tensors.values import value_text

if TYPE_CHECKING:
    from torch import Tensor

MOST_COLUMNS: Final = 6
"""Largest number of a table's columns that are drawn."""

FOUR_DECIMALS: Final = 0
"""Number of digits that stands for numbers with four decimals, as PyTorch prints them."""

DIGITS: Final = (FOUR_DECIMALS, 6, 5)
"""Significant digits of the largest number of a column that are tried, before fewer columns are drawn."""

ROOMS: Final = (60, 40, 28, 24, 20)
"""Widths of the names above tables that are tried, before fewer columns are drawn."""

LEAST_ROOM: Final = 14
"""Width of the names if not even two columns fit otherwise: a name is worth more than a third column."""


class EquationLayout(NamedTuple):
    """A way to draw tables."""

    columns: int
    """Largest number of columns of each table."""

    digits: int
    """Significant digits of a column's largest number, or `FOUR_DECIMALS`."""

    room: int
    """Width of the names above the tables."""


LAYOUTS: Final = (
    *map(EquationLayout._make, product(range(MOST_COLUMNS, 1, -1), DIGITS, ROOMS)),
    *map(EquationLayout._make, product(range(MOST_COLUMNS, 0, -1), DIGITS, (LEAST_ROOM,))),
)
"""Ways to draw tables, in the order in which they are tried."""

GAP: Final = 2
"""Cells between a table and the sign beside it."""

SECOND: Final = "second table: local derivative"
"""Stands below tables if their names have no room for it."""

LEAST: Final = 2
"""Number of lines, a name and a row of numbers, that are worth more than a note."""

SHARE: Final = 3
"""Cells between a line and a note at its end."""


class ShownTables(NamedTuple):
    """Tables as they are drawn."""

    lines: list[Line]
    layout: EquationLayout
    note: str
    """What of the tables is shown, if it is not everything: `row 1 of 5`; else empty."""


@dataclass(slots=True)
class EquationTable:
    """A table: a name above, then as many rows as fit."""

    head: str
    value: Tensor | float | None
    height: int
    """Number of lines that fit."""

    row: int = 0
    """Row that is seen for sure."""

    mark: tuple[int, int] | None = None
    """Row and column of the marked number; None for none."""

    column: int = 0
    """First column."""

    _columns: dict[int, list[list[str]]] = field(default_factory=dict)
    """Texts of each column, by the number of digits."""

    @property
    def first(self) -> int:
        """Number of the first row that is drawn."""
        assert is_tensor(self.value)
        return min(self.row, max(row_count(self.value) - self._room, 0))

    @property
    def _room(self) -> int:
        return max(self.height - 1, 1)

    @property
    def is_table(self) -> bool:
        """Whether the value has rows and columns to show."""
        return is_tensor(self.value) and not self.value.is_meta

    @property
    def wide(self) -> int:
        """Number of columns."""
        return self.value.shape[-1] if is_tensor(self.value) and self.value.dim() else 1

    def start_at(self, column: int) -> None:
        """Draw columns from this one on."""
        self.column = column
        self._columns.clear()

    def width(self, layout: EquationLayout) -> int:
        """Return the width in a layout."""
        title = length(line(shortened_name(self.head, layout.room)))
        if not self.is_table:
            return max(length(spans) for spans in self.lines(layout))
        columns = self._texts(layout.digits)[: layout.columns]
        return max(
            title,
            len(columns) * (1 + self._widest(columns)) + 2 * self._has_more(layout) + 2 * bool(self.column),
        )

    def lines(self, layout: EquationLayout) -> list[Line]:
        """Return the table."""
        title, value = Span(shortened_name(self.head, layout.room), "label"), self.value
        if not is_tensor(value):
            assert value is None or isinstance(value, int | float)
            return [line(title), line(f" {cell(value)}")]
        if value.is_meta:  # a trace that passed its limit keeps summaries in place of numbers
            told = wrapped(value_text(value), layout.room - 1, most=max(self.height - 1, 1))
            return [line(title), *(line(" ", *spans) for spans in told)]
        columns = self._texts(layout.digits)[: layout.columns]
        wide, more = self._widest(columns), Span(" …" if self._has_more(layout) else "", "dim")
        drawn = []
        for row, numbers in enumerate(zip(*columns, strict=True), self.first):
            spans = [
                Span(f"{number:>{wide}}", "current" if (row, column) == self.mark else "")
                for column, number in enumerate(numbers, self.column)
            ]
            before = Span(" …" if self.column else "", "dim")
            drawn.append(line(before, *(piece for span in spans for piece in (Span(" "), span)), more))
        return [line(title), *drawn][: max(self.height, 1)]

    def cut_text(self, layout: EquationLayout) -> str:
        """Return which rows and columns are shown, if these are not all."""
        if not self.is_table or not is_tensor(self.value) or self.height < 2:
            return ""
        rows = min(self.height - 1, row_count(self.value))
        columns = min(layout.columns, self.wide - self.column)
        parts = [
            _part("row", self.first, rows, row_count(self.value)),
            _part("column", self.column, columns, self.wide),
        ]
        return ", ".join(filter(None, parts))

    def _texts(self, digits: int) -> list[list[str]]:
        """Return the texts of the columns."""
        if digits not in self._columns:
            assert is_tensor(self.value)
            value = self.value[..., self.column :] if self.value.dim() else self.value
            if digits == FOUR_DECIMALS:
                rows = cells(value, self._room, MOST_COLUMNS, self.first)
                self._columns[digits] = [list(column) for column in zip(*rows, strict=True)]
            else:
                grid = value.reshape(1, -1) if value.dim() < 2 else value.flatten(0, -2)
                some = grid[self.first : self.first + self._room, :MOST_COLUMNS].tolist()
                self._columns[digits] = [column_texts(column, digits) for column in zip(*some, strict=True)]
        return self._columns[digits]

    def _widest(self, columns: Sequence[Sequence[str]]) -> int:
        return max((len(text) for column in columns for text in column), default=1)

    def _has_more(self, layout: EquationLayout) -> bool:
        return self.wide > self.column + layout.columns


def shown_tables(
    tables: Sequence[EquationTable],
    signs: Sequence[str],
    width: int,
    long_heads: Sequence[str] = (),
) -> ShownTables:
    """Return tables beside each other with signs between them, as many columns of each as fit.

    Args:
        tables: The tables; the last one is the result.
        signs: Sign between each table and the next.
        width: Largest width, in cells.
        long_heads: Names with more words in them, for the case that they fit without any loss.
    """
    between = sum(2 * GAP + length(line(sign)) for sign in signs)

    def fits(layout: EquationLayout) -> bool:
        return sum(table.width(layout) for table in tables) + between <= width

    layout = next(filter(fits, LAYOUTS), LAYOUTS[-1])
    made = tables[-1]
    if made.mark is not None and made.mark[1] >= layout.columns:
        for table in tables:
            if table.wide == made.wide:
                table.start_at(made.mark[1] - layout.columns + 1)
        layout = next(filter(fits, LAYOUTS), LAYOUTS[-1])
    note = _note(tables, layout)
    if long_heads:
        heads = [table.head for table in tables]
        for table, head in zip(tables, long_heads, strict=True):
            table.head = head
        if max(map(len, long_heads)) > layout.room or not fits(layout):
            for table, head in zip(tables, heads, strict=True):
                table.head = head
            note = f"{note}; {SECOND}" if note else SECOND
    lines = _joined([table.lines(layout) for table in tables], signs)
    return ShownTables(lines, layout, note)


def with_note(lines: list[Line], note: str, width: int, height: int) -> list[Line]:
    """Return lines with a note at the end of the last that has room for it, else below them, if that fits."""
    if not note:
        return lines
    for place in reversed(range(len(lines))):
        if length(lines[place]) + SHARE + len(note) <= width:
            told = (*lines[place], Span(f"{' ' * SHARE}{note}", "dim"))
            return [*lines[:place], told, *lines[place + 1 :]]
    below = line(Span(note if len(note) <= width else f"{note[: width - 1]}…", "dim"))
    if len(lines) < height:
        return [*lines, below]
    return [*lines[:-1], below] if len(lines) > LEAST else lines


def place_in(value: Tensor | float | None, number: int) -> tuple[int, ...]:
    """Return the index of an element of a tensor, counted in reading order; after the last, of the last."""
    if not is_tensor(value) or not value.dim() or not value.numel():
        return ()
    number, index = min(number, value.numel() - 1), list[int]()
    for size in reversed(value.shape):
        number, place = divmod(number, size)
        index.append(place)
    return tuple(reversed(index))


def chosen_cell(value: Tensor | float | None, chosen: int | None) -> tuple[int, tuple[int, int] | None]:
    """Return the row that is seen for sure of a tensor's table, and row and column of the marked number."""
    place = place_in(value, chosen or 0)
    if not is_tensor(value) or not place:
        return 0, None
    row = 0
    for size, at in zip(value.shape[:-1], place, strict=False):
        row = row * size + at
    return row, None if chosen is None else (row, place[-1])


def _part(what: str, first: int, shown: int, count: int) -> str:
    """Return which of some rows or columns are shown: `rows 1-3 of 5`; empty if all are."""
    if shown >= count:
        return ""
    if shown <= 1:
        return f"{what} {first + 1} of {count:,}"
    return f"{what}s {first + 1}-{first + shown} of {count:,}"


def _note(tables: Sequence[EquationTable], layout: EquationLayout) -> str:
    """Return what of the tables is shown; each way in which they are cut is said once."""
    texts = dict.fromkeys(text for table in tables if (text := table.cut_text(layout)))
    return (" → " if len(tables) == 2 else "; ").join(texts)


def _joined(blocks: Sequence[list[Line]], signs: Sequence[str]) -> list[Line]:
    """Return tables beside each other, with a sign between each and the next, in the first row of numbers.

    If there is no room for numbers, the signs stand between the names.
    """
    joined = blocks[0]
    above = [] if all(len(block) == 1 for block in blocks) else [line(" ")]
    for sign, block in zip(signs, blocks[1:], strict=True):
        joined = beside(beside(joined, [*above, line(Span(sign, "key"))], GAP), block, GAP)
    return joined
