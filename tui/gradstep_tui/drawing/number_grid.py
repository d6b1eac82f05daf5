"""Numbers as rows of a table, in few digits, with a faint heat behind each: its sign and its size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gradstep_tui.drawing.lines import Line, Span, on_colour
from gradstep_tui.text.tensors.numbers import BRIEFEST, DIGITS, NOT_KEPT, WIDEST, brief, cells, decimals_of

if TYPE_CHECKING:
    from torch import Tensor

LABEL: Final = 9
"""Width of the names of rows, in cells."""

LEVELS: Final = 4
"""Strengths of the heat of either sign."""


class NumberGrid(NamedTuple):
    """Rows of numbers as text, with the heat of each: from `-LEVELS` to `LEVELS`, 0 for none."""

    texts: list[list[str]]
    heats: list[list[int]]


def number_grids(tensors: Sequence[Tensor | None], columns: int, digits: int = DIGITS) -> list[NumberGrid]:
    """Return tensors of one shape as tables with as many decimals, and one scale of heat.

    Args:
        tensors: Tensors, whose last dimension runs across; words stand for None and for what is not kept.
        columns: Largest number of columns.
        digits: Number of digits of the largest number.
    """
    numbers = [None if tensor is None or tensor.is_meta else _rows(tensor, columns) for tensor in tensors]
    found = [number for rows in numbers for row in rows or () for number in row]
    shape = next((rows for rows in numbers if rows is not None), [[None]])
    decimals = decimals_of(found, digits)
    top = max((abs(number) for number in found if _has_heat(number)), default=0.0)
    grids = []
    for tensor, rows in zip(tensors, numbers, strict=True):
        word = "None" if tensor is None else NOT_KEPT
        texts = (
            [[word] * len(row) for row in shape]
            if tensor is None or rows is None
            else [[brief(number, decimals) for number in row] for row in rows]
            if all(isinstance(number, float) for number in found)
            else cells(tensor, None, columns)
        )
        heats = [[heat_of(number, top) for number in row] for row in rows or shape]
        grids.append(NumberGrid(texts, heats))
    return grids


def heat_of(value: Any, top: float) -> int:
    """Return the heat of a number: its share of the largest one, in `LEVELS` steps, with its sign."""
    if not _has_heat(value) or not value or not top:
        return 0
    return int(math.copysign(max(round(abs(value) / top * LEVELS), 1), value))


def grid_lines(
    names: list[str], grid: NumberGrid, marks: list[list[bool]] | None = None, role: str = ""
) -> list[Line]:
    """Return rows of numbers with their names; a marked number has a `*` after it.

    Args:
        names: Name of each row.
        grid: The numbers.
        marks: Whether each number is marked; None for no marks.
        role: Role of numbers without a mark; only plain and marked numbers have heat.
    """
    lines = []
    for row, (name, texts) in enumerate(zip(names, grid.texts, strict=True)):
        spans = [Span(f" {name[: LABEL - 1]:<{LABEL - 1}}", "label")]
        for column, text in enumerate(texts):
            marked = marks is not None and marks[row][column]
            heat = grid.heats[row][column]
            own = "mark" if marked else role
            star = "*" if marked else " "
            if heat and own in ("", "mark"):
                block = Span(f"{text:>{BRIEFEST}}", on_colour(own, f"{heat:+}"))
                spans += [Span(" " * (WIDEST - BRIEFEST), own), block, Span(star, own)]
            else:
                spans.append(Span(f"{text:>{WIDEST}}{star}", own))
        lines.append(tuple(spans))
    return lines


def _has_heat(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _rows(tensor: Tensor, columns: int) -> list[list[Any]]:
    grid = tensor.reshape(1, -1) if tensor.dim() < 2 else tensor.flatten(0, -2)
    numbers: list[list[Any]] = grid[:, :columns].tolist()
    return numbers
