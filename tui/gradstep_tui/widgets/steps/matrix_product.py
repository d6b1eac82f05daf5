"""A product of matrices that is too large for tables: one number, and the row and column it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.equations.equation import Operator
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.lessons.equations import factors_at
from gradstep_tui.text.tensors.digits import number_text
from gradstep_tui.text.tensors.numbers import is_tensor, shape_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.equations.equation import Equation

DIGITS: Final = 6
"""Significant digits of each number."""

GAP: Final = 2
"""Cells before each number."""

MOST_NUMBERS: Final = 40
"""Largest number of a row's numbers that are made to text."""

LEAST_NAME: Final = 16
"""Cells that the name of a row has at least."""

PRODUCTS: Final = (Operator.MATMUL, Operator.MATMUL_LEFT)


def factors_lines(equation: Equation, heads: Sequence[str], place: Sequence[int], width: int) -> list[Line]:
    """Return the names and shapes of a product, then the row and the column of one number below each other.

    Args:
        equation: The equation.
        heads: Names of the left matrix, of the right one and of the product.
        place: Index of the number in the product.
        width: Largest width of a line, in cells.

    Returns:
        Three lines; none if the numbers are not known.
    """
    factors = factors_at(equation, place)
    local = None if equation.local is None else equation.local.value
    values = [local, equation.upstream.value]
    left, right = values if equation.operator is Operator.MATMUL_LEFT else values[::-1]
    made = equation.downstream.value
    if factors is None or not is_tensor(left) or not is_tensor(right) or not is_tensor(made):
        return []
    starts = (
        f"row {place[-2] + 1} of {left.shape[-2]:,}",
        f"column {place[-1] + 1} of {right.shape[-1]:,}",
    )
    return [_names_line(heads, (left, right, made), width), *_rows(factors, starts, heads, width)]


def _names_line(heads: Sequence[str], values: Sequence[Tensor], width: int) -> Line:
    """Return `x.T @ dL/d(x @ w.t()) = dL/d(w.t())` with the shapes."""
    shapes = "   {} @ {} = {}".format(*(shape_text(tuple(value.shape)) for value in values))
    signs = len(" @ " + " = ")
    room = max(map(len, heads))
    while room > LEAST_NAME // 2 and sum(min(len(head), room) for head in heads) + signs > width:
        room -= 1
    names = [shortened_name(head, room) for head in heads]
    used = sum(map(len, names)) + signs
    return line(
        Span(names[0], "label"),
        Span(" @ ", "key"),
        Span(names[1], "label"),
        Span(" = ", "key"),
        Span(names[2], "label"),
        Span(shapes if used + len(shapes) <= width else "", "dim"),
    )


def _rows(
    factors: tuple[Tensor, Tensor], starts: tuple[str, str], heads: Sequence[str], width: int
) -> list[Line]:
    """Return both factors as rows, numbers that are multiplied below each other."""
    numbers = [factor[:MOST_NUMBERS].tolist() for factor in factors]
    pairs = [[number_text(number, DIGITS) for number in pair] for pair in zip(*numbers, strict=True)]
    wide = [max(map(len, pair)) for pair in pairs]
    most = max(width - sum(wide) - GAP * len(wide), width // 2, LEAST_NAME)
    names = [
        shortened_name(head, most - len(start) - len(" of "))
        for start, head in zip(starts, heads, strict=False)
    ]
    whole = [f"{start} of {name}" for start, name in zip(starts, names, strict=True)]
    room = max(map(len, whole))
    shown, used = 0, room
    for place, size in enumerate(wide, 1):
        used += GAP + size
        is_last = place == len(factors[0])
        if used + (0 if is_last else len(" …")) > width:
            break
        shown = place
    more = " …" if shown < len(factors[0]) else ""
    rows = []
    for at, name in enumerate(whole):
        seen = zip(pairs[:shown], wide, strict=False)
        told = "".join(f"{' ' * GAP}{pair[at]:>{size}}" for pair, size in seen)
        rows.append(line(Span(f"{name:<{room}}", "dim"), told, Span(more, "dim")))
    return rows
