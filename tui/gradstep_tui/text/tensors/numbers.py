"""Numbers as text: four decimals as PyTorch prints them, or scientific if decimals would hide the number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor

WIDEST = 11
"""Cells that `cell` takes at most, e.g. `-99999.9999` or `-1.2346e+12`."""


NOT_KEPT: Final = "not kept"
"""Stands for a number of which only a summary is kept."""


SCIENTIFIC: Final = -1
"""Number of decimals that stands for scientific notation."""

DIGITS: Final = 7
"""Digits of the largest number of a table: what a 32-bit float holds."""

SUM_DIGITS: Final = 8
"""Digits of the largest number of a sum, so that its parts add up as they stand there."""

BRIEFEST: Final = 10
"""Cells that `brief` takes at most for a float, e.g. `-1.235e-04`."""


def cell(value: complex | bool | str | None) -> str:
    """Return one number as text. An exact zero is `0`, unlike a small number; None is `None`.

    An int has all its digits, and may take more than `WIDEST` cells.
    """
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int):  # a bool is an int
        return str(value)
    if isinstance(value, complex):
        return f"{value.real:.4g}{value.imag:+.4g}j"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    text = f"{value:.4f}" if 1e-3 <= size < 99999.99995 else f"{value:.4e}"
    return text if len(text) <= WIDEST else f"{value:.3e}"


def rate(value: float) -> str:
    """Write a learning rate as a person types it, e.g. `1e-05`."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def row_count(tensor: Tensor) -> int:
    """Return how many rows `cells` makes of a tensor."""
    return math.prod(tensor.shape[:-1])


def cells(
    tensor: Tensor, rows: int | None = None, columns: int | None = None, first: int = 0
) -> list[list[str]]:
    """Return a tensor's elements as rows of text; a vector is one row, more than two dimensions become two.

    A tensor of a whole-number dtype is written with all digits; a tensor of whole numbers below 100,000 that
    has another dtype, without decimals.

    Args:
        tensor: Any shape.
        rows: How many rows at the most.
        columns: How many columns at the most.
        first: First row.
    """
    if tensor.is_meta:  # a trace that passed its limit keeps its summary only
        return [[NOT_KEPT]]
    if rows is not None and tensor.dim() > 2:  # no more than that is to be copied
        inner = max(math.prod(tensor.shape[1:-1]), 1)
        tensor, first = tensor[first // inner : (first + rows) // inner + 1], first % inner
    grid = tensor.reshape(1, -1) if tensor.dim() < 2 else tensor.flatten(0, -2)
    numbers: list[list[Any]] = grid[first : None if rows is None else first + rows, :columns].tolist()
    if numbers and numbers[0] and type(numbers[0][0]) is int:
        return [[str(number) for number in row] for row in numbers]
    flat = [number for row in numbers for number in row]
    if all(isinstance(n, (int, float)) and math.isfinite(n) and n == int(n) and abs(n) < 1e5 for n in flat):
        return [
            [str(int(number)) if number and number is not True else cell(number) for number in row]
            for row in numbers
        ]
    return [[cell(number) for number in row] for row in numbers]


def decimals_of(values: Iterable[Any], digits: int = DIGITS) -> int:
    """Return how many decimals the numbers of one table have: four, or fewer if the largest is large.

    Args:
        values: All numbers of the table.
        digits: Number of digits of the largest one.

    Returns:
        Number of decimals; `SCIENTIFIC` if all are so small, or one is so large, that decimals are no use.
    """
    sizes = [abs(value) for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
    top = max(sizes, default=0)
    if all(size == int(size) for size in sizes) and top < 1e5:
        return 0
    if not 1e-3 <= top < 1e6:
        return SCIENTIFIC
    return max(min(digits - 1 - math.floor(math.log10(top)), 4), 0)


def brief(value: Any, decimals: int) -> str:
    """Return one number of a table in at most `BRIEFEST` cells; what decimals would hide has three digits."""
    if not isinstance(value, float) or value == 0 or not math.isfinite(value):
        return cell(value)
    if decimals == SCIENTIFIC:
        return f"{value:.3e}"
    return f"{value:.{decimals}f}" if abs(value) >= 10.0 ** (1 - decimals) else f"{value:.3g}"


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as `5x2`; a scalar's as `()`."""
    return "x".join(map(str, shape)) or "()"


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Return whether `value` is a tensor, without importing torch."""
    return hasattr(value, "dim") and hasattr(value, "numel")
