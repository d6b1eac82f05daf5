"""Describes tensors in sentences: each number follows the names of its row and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from gradstep_tui.text.tensors.grids import column_names, row_name
from gradstep_tui.text.tensors.numbers import cells, is_tensor, shape_text
from gradstep_tui.text.tensors.values import value_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame

MOST_TOLD: Final = 60
"""Largest number of a tensor's numbers in the answer to an action; `parameters` and `step` show more."""

MOST_ASKED: Final = 10_000
"""Largest number of a tensor's numbers in the answer to a question."""


def row_texts(name: str, parameter: ParameterFrame, tensor: Tensor, most: int = MOST_ASKED) -> Iterator[str]:
    """Yield the rows of a tensor of a parameter's shape: `w apples: temp 0.3394, rainfall 1.2554`."""
    columns = column_names(parameter)
    rows = _some_rows(tensor, most)
    for number, numbers in enumerate(rows):
        yield f"{_joined(name, row_name(parameter, number))}: {', '.join(_named(columns, numbers))}"
    yield from rest_text(name, tensor.numel() - sum(map(len, rows)))


def element_name(name: str, parameter: ParameterFrame, place: int) -> str:
    """Return the name of an element of a parameter, counted row by row: `w apples temp`."""
    if not parameter.value.dim():
        return name
    row, column = divmod(place, max(parameter.value.shape[-1], 1))
    labels = column_names(parameter)
    return " ".join(
        filter(None, (name, row_name(parameter, row), labels[column] if labels else f"[{column}]"))
    )


def rest_text(name: str, hidden: int) -> Iterator[str]:
    """Yield the line that says how many numbers are left out; no line if none are."""
    if hidden > 0:
        yield f"{name}: {hidden:,} more numbers"


def operand_text(name: str, value: Any, most: int = MOST_TOLD) -> str:
    """Return a named value on one line; a matrix's rows are separated by semicolons."""
    if not is_tensor(value) or not value.dim() or value.is_meta:
        return f"{name} = {value_text(value)}"
    rows = _some_rows(value, most)
    hidden = value.numel() - sum(map(len, rows))
    rest = f"; and {hidden:,} more" if hidden else ""
    return f"{name}, {size_text(value)}: {'; '.join(', '.join(row) for row in rows)}{rest}"


def operand_texts(name: str, value: Any, most: int = MOST_ASKED) -> Iterator[str]:
    """Yield a named value in full, with a line for each row of a matrix."""
    if not is_tensor(value) or value.dim() < 2 or value.is_meta:
        yield operand_text(name, value, most)
        return
    yield f"{name}, {size_text(value)}:"
    rows = _some_rows(value, most)
    yield from (f"  {name} [{number}]: {', '.join(row)}" for number, row in enumerate(rows))
    yield from rest_text(f"  {name}", value.numel() - sum(map(len, rows)))


def size_text(tensor: Tensor) -> str:
    """Return a tensor's shape as text that can be read aloud: `5x2`, or `2 numbers`."""
    if tensor.dim() == 0:
        return "one number"
    if tensor.dim() > 1:
        return shape_text(tuple(tensor.shape))
    return f"{tensor.numel():,} number{'' if tensor.numel() == 1 else 's'}"


def _some_rows(tensor: Tensor, most: int) -> list[list[str]]:
    """Return as many whole rows as hold at most `most` numbers; of a longer first row, its beginning."""
    width = max(tensor.shape[-1] if tensor.dim() else 1, 1)
    return cells(tensor, max(most // width, 1), most)


def _joined(name: str, row: str) -> str:
    return f"{name} {row}" if row else name


def _named(names: Sequence[str], numbers: Sequence[str]) -> list[str]:
    if len(names) < len(numbers):
        return list(numbers)
    return [f"{name} {number}" for name, number in zip(names, numbers, strict=False)]
