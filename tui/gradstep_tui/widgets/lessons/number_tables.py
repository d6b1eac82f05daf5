"""Small tables of numbers beside each other, with signs between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep_tui.drawing.lines import Line, Span, beside, length, line
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

Make: TypeAlias = Callable[[int, int, bool], list[Line]]
"""Makes tables for a number of columns, a number of digits, and with names of the columns or without."""


def rows_of(tensor: Tensor, first: int = 0, rows: int | None = None) -> list[list[float | str]]:
    """Return a tensor's numbers as rows; a vector has a row for each number.

    Args:
        tensor: Any shape; more than two dimensions become two.
        first: First row.
        rows: Number of rows at the most; None for all.
    """
    if tensor.is_meta:
        return [[NOT_KEPT]]
    grid = tensor.reshape(-1, 1) if tensor.dim() < 2 else tensor.flatten(1)
    numbers: list[list[float | str]] = grid[first : None if rows is None else first + rows].tolist()
    return numbers


def table(
    head: str,
    rows: Sequence[Sequence[complex | str | None]],
    role: str = "",
    digits: int = DIGITS,
    names: Sequence[str] | None = None,
) -> list[Line]:
    """Return a table: its head, the names of its columns if given, then the numbers, right in their columns.

    Args:
        head: Text above the table.
        rows: The numbers.
        role: Role of the numbers.
        digits: Significant digits of the largest number of a column.
        names: Names of the columns; the line stays empty if they are not as many; None for no such line.
    """
    wide = max(map(len, rows), default=0)
    columns = [column_texts([row[place] for row in rows], digits) for place in range(wide)]
    fitting = list(names or ())[:wide] if names and len(names) >= wide - (HIDDEN in (rows or [()])[0]) else []
    named = [*fitting, *([""] * (wide - len(fitting)))]
    widths = [max(len(text) for text in (name, *column)) for name, column in zip(named, columns, strict=True)]
    gaps = ["", *(" " if HIDDEN in column else " " * GAP for column in columns[1:])]
    inner = max(sum(widths) + sum(map(len, gaps)), len(head))

    def row(texts: Sequence[str], of: str) -> Line:
        cells = (f"{gap}{text:>{width}}" for gap, text, width in zip(gaps, texts, widths, strict=True))
        return line(Span(f"{''.join(cells):>{inner}}", of))

    heads = [line(Span(f"{head:>{inner}}", "label"))]
    heads += [] if names is None else [row(named, "label")]
    return [*heads, *(row([column[place] for column in columns], role) for place in range(len(rows)))]


def joined(blocks: Sequence[list[Line]], signs: Sequence[str], at: int = 1) -> list[Line]:
    """Return tables beside each other, with a sign between each and the next in the row `at`."""
    made = blocks[0]
    for sign, block in zip(signs, blocks[1:], strict=True):
        between = [*([line(" ")] * at), line(Span(sign, "key"))]
        made = beside(beside(made, between, 1), block, 1)
    return made


def fitting(make: Make, width: int, *, named: bool) -> list[Line]:
    """Return tables that are no wider than `width`: with fewer digits, without names, or with fewer columns.

    Args:
        make: Makes the tables for a number of columns and of digits, with names of the columns or without.
        width: Largest width, in cells.
        named: Whether the columns have names.
    """
    made: list[Line] = []
    names = (True, False) if named else (False,)
    for columns, with_names, digits in product(range(MOST_COLUMNS, 0, -1), names, FEWER_DIGITS):
        made = make(columns, digits, with_names)
        if width_of(made) <= width:
            break
    return made


def width_of(lines: Sequence[Line]) -> int:
    """Return the width of the widest line."""
    return max(map(length, lines), default=0)


def is_cut(lines: Sequence[Line]) -> bool:
    """Return whether columns of a table are left out."""
    return any(HIDDEN in span.text for row in lines for span in row)


def cut(rows: Sequence[Sequence[float | str]], columns: int) -> list[list[float | str]]:
    """Return rows with at most `columns` numbers each; a mark stands for those that are left out."""
    return [[*row[:columns], HIDDEN] if len(row) > columns else [*row] for row in rows]
