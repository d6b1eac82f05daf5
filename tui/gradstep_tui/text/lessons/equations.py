"""Equations of a backward pass in text: names of gradients, signs, and one element in full arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep.equations.equation import Operator
from gradstep_tui.text.tensors.numbers import NOT_KEPT, cell, is_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.equations.equation import Equation, Term

SIGNS: Final[Mapping[Operator, str]] = {
    Operator.TIMES: "×",
    Operator.EXPAND: "×",
    Operator.MATMUL: "@",
    Operator.MATMUL_LEFT: "@",
    Operator.ADD: "+",
    Operator.ACCUMULATE: "+",
}
"""Sign between the two terms of an equation; other operators have a single term."""

UNKNOWN: Final = "?"
"""Name of a tensor that the script has no words for and PyTorch's node does not name."""

Write: TypeAlias = Callable[[float | str | None], str]
"""Writes a number."""

MOST_ADDENDS: Final = 3
"""Number of products of a sum that are written out before the rest is left out."""


def gradient_name(name: str, fallback: str = "") -> str:
    """Return the name of the gradient of the loss by what `name` says: `dL/d diff`, `dL/d(x @ w.t())`.

    Args:
        name: The script's words for the tensor; empty if it has none.
        fallback: What to call the tensor then.
    """
    name = name or fallback or UNKNOWN
    return f"dL/d {name}" if name.replace(".", "").isidentifier() else f"dL/d({name})"


def number_at(value: Tensor | float | None, place: Sequence[int]) -> float | str | None:
    """Return the number of a term at a place of the result that it is broadcast to."""
    if value is None or not is_tensor(value):
        return value  # type: ignore[return-value]
    if value.is_meta:
        return NOT_KEPT
    own = place[len(place) - value.dim() :]
    index = tuple(0 if size == 1 else at for at, size in zip(own, value.shape, strict=True))
    number: float = value[index].item()
    return number


def arithmetic(equation: Equation, place: Sequence[int], room: int, write: Write = cell) -> str:
    """Return how one element of the result comes about, in numbers; empty if none says it or fits.

    Args:
        equation: The equation.
        place: Index of an element of the result, a number for each dimension.
        room: Largest number of characters.
        write: Writes a number.
    """
    texts = (_arithmetic(equation, place, most, write) for most in range(MOST_ADDENDS, 0, -1))
    return next((text for text in texts if len(text) <= room), "")


def _arithmetic(equation: Equation, place: Sequence[int], most: int, write: Write) -> str:
    """Return that text with at most `most` addends of a long sum."""
    result = write(number_at(equation.downstream.value, place))
    match equation.operator:
        case Operator.TIMES | Operator.EXPAND if equation.local is not None:
            return f"{_at(equation.upstream, place, write)} × {_at(equation.local, place, write)} = {result}"
        case Operator.MATMUL | Operator.MATMUL_LEFT:
            return _inner_product(equation, place, result, most, write)
        case Operator.ADD:
            return f"{' + '.join(_at(part, place, write) for part in equation.parts)} = {result}"
        case Operator.SUM:
            return _sum(equation, place, result, most + 1, write)
        case Operator.ACCUMULATE if equation.local is not None and equation.local.value is not None:
            return f"{_at(equation.local, place, write)} + {_at(equation.upstream, place, write)} = {result}"
        case _:
            return ""


def merged(equations: Sequence[Equation]) -> Iterator[tuple[Equation, list[str]]]:
    """Yield each equation with the names of all tensors that get the same gradient from it."""
    groups: list[tuple[Equation, list[str]]] = []
    for equation in equations:
        for known, names in groups:
            if _is_same(known, equation):
                names.append(equation.downstream.name)
                break
        else:
            groups.append((equation, [equation.downstream.name]))
    yield from groups


def _is_same(one: Equation, other: Equation) -> bool:
    if one.operator is not other.operator:
        return False
    return one.operator is Operator.SAME or (one.downstream.name, one.formula) == (
        other.downstream.name,
        other.formula,
    )


def _at(term: Term, place: Sequence[int], write: Write) -> str:
    return _signed(number_at(term.value, place), write)


def _signed(number: float | str | None, write: Write) -> str:
    text = write(number)
    return f"({text})" if text.startswith("-") else text


def _inner_product(equation: Equation, place: Sequence[int], result: str, most: int, write: Write) -> str:
    """Return the products of a row and a column whose sum is one element of a product of matrices."""
    factors = factors_at(equation, place)
    if factors is None:
        return ""
    row, column = factors
    pairs = [
        f"{_signed(one.item(), write)} × {_signed(other.item(), write)}"
        for one, other in zip(row[:most], column[:most], strict=True)
    ]
    return f"{' + '.join([*pairs, *(['…'] if len(row) > most else [])])} = {result}"


def factors_at(equation: Equation, place: Sequence[int]) -> tuple[Tensor, Tensor] | None:
    """Return the row and the column of which an element of a product of matrices is made; None if unknown."""
    upstream, local = equation.upstream.value, None if equation.local is None else equation.local.value
    if not is_tensor(upstream) or not is_tensor(local) or upstream.is_meta or local.is_meta:
        return None
    left, right = (local, upstream) if equation.operator is Operator.MATMUL_LEFT else (upstream, local)
    if left.dim() < 2 or right.dim() < 2 or len(place) < 2:
        return None
    row = left[tuple(place[: left.dim() - 2])][place[-2]]
    column = right[tuple(place[: right.dim() - 2])][:, place[-1]]
    return row, column


def _sum(equation: Equation, place: Sequence[int], result: str, most: int, write: Write) -> str:
    """Return the numbers whose sum is one element of a gradient that was summed over broadcast dims."""
    upstream, made = equation.upstream.value, equation.downstream.value
    if not is_tensor(upstream) or not is_tensor(made) or upstream.is_meta:
        return ""
    extra = upstream.dim() - made.dim()
    numbers = upstream
    for dim in reversed(range(upstream.dim())):
        if dim >= extra and made.shape[dim - extra] == upstream.shape[dim]:
            numbers = numbers.select(dim, place[dim - extra])
    numbers = numbers.reshape(-1)
    shown = [_signed(number, write) for number in numbers[:most].tolist()]
    return f"{' + '.join([*shown, *(['…'] if len(numbers) > len(shown) else [])])} = {result}"
