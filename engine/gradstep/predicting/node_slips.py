"""What wrong ideas make of an element of a gradient that an event of the backward pass makes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gradstep.equations.equation import Equation, Operator, Term
from gradstep.predicting.case import Case
from gradstep.predicting.grad_slips import Found
from gradstep.predicting.readings import equation_in, equations_at
from gradstep.predictions.judging import Reply, Slip


def node_slips(case: Case, truth: Reply) -> Found:
    """Yield the slips of a question about what an event makes, with what each leads to."""
    equation = equation_in(case.ran.problem, case.ran.after, case.target)
    if not isinstance(truth, float) or not isinstance(equation.downstream.value, Tensor):
        return
    match equation.operator:
        case Operator.TIMES | Operator.EXPAND:
            yield from _product(case, equation, truth)
        case Operator.MATMUL | Operator.MATMUL_LEFT:
            yield from _sum_of_products(case, equation, truth)
        case Operator.ADD:
            yield from _paths(case, equation)
        case Operator.SUM:
            yield from _sum(case, equation, truth)
        case Operator.REPLACE:
            yield from _same_place(case, equation, Slip.UNCHANGED)
        case Operator.MOVE | Operator.RULE:
            yield from _same_place(case, equation, Slip.UPSTREAM)
            yield from _zero_and_sign(truth)
        case Operator.SAME:
            yield from _zero_and_sign(truth)


def _zero_and_sign(truth: float) -> Found:
    if truth:
        yield Slip.ZERO, 0.0
        yield Slip.NEGATED, -truth


def _product(case: Case, equation: Equation, truth: float) -> Found:
    upstream, local = _spread(equation.upstream, equation), _spread(equation.local, equation)
    if upstream is None or local is None:
        return
    up, loc = case.at(upstream), case.at(local)
    if up is None or loc is None:
        return
    plain = _is_all(upstream, 1.0)
    signs = _is_all(upstream, -1.0) or _is_all(local, -1.0)
    if not _is_all(local, 1.0):
        yield Slip.UPSTREAM, up
        if not plain:
            yield Slip.LOCAL, loc
            yield Slip.SUM, up + loc
    if truth:
        yield Slip.ZERO, 0.0
        if not signs:
            yield Slip.NEGATED, -truth
    yield from _other_operand(case, equation, local, up)
    yield from _spread_out(equation, truth)


def _other_operand(case: Case, equation: Equation, local: Tensor, up: float) -> Found:
    """Yield what comes of the local derivative that belongs to the other operand."""
    for other in equations_at(case.ran.problem, case.ran.after, case.target.event):
        if other.downstream is equation.downstream or other.local is None:
            continue
        value = other.local.value
        if other.operator is not Operator.TIMES or not isinstance(value, Tensor):
            continue
        swapped = _broadcast(value, local.shape)
        if swapped is None or torch.equal(swapped, local) or _is_all(swapped, 1.0) or _is_all(swapped, -1.0):
            continue
        found = case.at(swapped)
        if found is not None:
            yield Slip.SWAPPED, up * found
            return


def _spread_out(equation: Equation, truth: float) -> Found:
    """Yield what comes of a sum that is taken for a mean."""
    made, arrived = equation.downstream.value, equation.upstream.value
    if (
        equation.operator is not Operator.EXPAND
        or not isinstance(made, Tensor)
        or not isinstance(arrived, Tensor)
    ):
        return
    copies = made.numel() // max(arrived.numel(), 1)
    if copies > 1 and truth:
        yield Slip.MEAN, truth / copies


def _sum_of_products(case: Case, equation: Equation, truth: float) -> Found:
    rows = factors_of(equation, case.target.index)
    if rows is None or len(rows[0]) < 2:
        yield from _zero_and_sign(truth)
        return
    upstream, local = rows
    if any(value != 1 for value in local):
        yield Slip.UPSTREAM, math.fsum(upstream)
    if any(value != 1 for value in upstream):
        yield Slip.LOCAL, math.fsum(local)
    yield Slip.MEAN, truth / len(upstream)
    yield from _zero_and_sign(truth)


def factors_of(equation: Equation, index: tuple[int, ...]) -> tuple[list[float], list[float]] | None:
    """Return the numbers whose products are summed to one element of a product of matrices."""
    upstream, local = equation.upstream.value, None if equation.local is None else equation.local.value
    if not isinstance(upstream, Tensor) or not isinstance(local, Tensor):
        return None
    if upstream.is_meta or local.is_meta or upstream.dim() != 2 or local.dim() != 2 or len(index) != 2:
        return None
    row, column = index
    if equation.operator is Operator.MATMUL:
        return upstream[row].tolist(), local[:, column].tolist()
    return upstream[:, column].tolist(), local[row].tolist()


def _paths(case: Case, equation: Equation) -> Found:
    tensors = [term.value for term in equation.parts if isinstance(term.value, Tensor)]
    parts = [part for tensor in tensors if (part := case.at(tensor)) is not None]
    if len(parts) < 2:
        return
    yield Slip.LAST_PATH, parts[-1]
    if not torch.equal(tensors[0], tensors[-1]):
        yield Slip.FIRST_PATH, parts[0]
        yield Slip.MEAN, math.fsum(parts) / len(parts)
    if len(parts) == 2:
        yield Slip.PRODUCT, parts[0] * parts[1]


def _sum(case: Case, equation: Equation, truth: float) -> Found:
    before, after = equation.upstream.value, equation.downstream.value
    if not isinstance(before, Tensor) or not isinstance(after, Tensor) or before.is_meta:
        return
    added = before.numel() // max(after.numel(), 1)
    if added > 1:
        yield Slip.MEAN, truth / added
        first = tuple(_first_place(before.shape, after.shape, case.target.index))
        yield Slip.PER_SAMPLE, float(before[first].item())
    yield from _zero_and_sign(truth)


def _first_place(before: Sequence[int], after: Sequence[int], index: tuple[int, ...]) -> Iterator[int]:
    """Yield the index of the first of the elements that are summed to one."""
    missing = len(before) - len(after)
    for dimension in range(len(before)):
        kept = dimension - missing
        yield 0 if kept < 0 or after[kept] != before[dimension] else index[kept]


def _same_place(case: Case, equation: Equation, slip: Slip) -> Found:
    before, after = equation.upstream.value, equation.downstream.value
    if not isinstance(before, Tensor) or not isinstance(after, Tensor) or before.shape != after.shape:
        return
    found = case.at(before)
    if found is not None and not torch.equal(before, after):
        yield slip, found


def _spread(term: Term | None, equation: Equation) -> Tensor | None:
    """Return a term in the shape of the result; None if it has no numbers or does not fit."""
    made = equation.downstream.value
    if term is None or not isinstance(made, Tensor) or made.is_meta:
        return None
    value = torch.tensor(term.value) if isinstance(term.value, float) else term.value
    return _broadcast(value, made.shape) if isinstance(value, Tensor) and not value.is_meta else None


def _broadcast(value: Tensor, shape: torch.Size) -> Tensor | None:
    try:
        return value.expand(shape)
    except RuntimeError:
        return None


def _is_all(tensor: Tensor, value: float) -> bool:
    return bool((tensor == value).all())
