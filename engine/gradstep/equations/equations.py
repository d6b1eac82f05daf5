"""Makes the equations of an event of a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gradstep.autograd.events import (
    ACCUMULATE_GRAD,
    Edge,
    Event,
    HookEvent,
    NodeEvent,
    PathsEvent,
    ReduceEvent,
)
from gradstep.autograd.trace import Trace
from gradstep.derivatives.expressions import TROUBLE, names_in
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.derivatives.value_names import ScriptNames
from gradstep.derivatives.worksheet import Worksheet, worksheet_for
from gradstep.equations.equation import Equation, Operator, Term
from gradstep.equations.local_terms import SPREAD, LocalTerm, local_term


def equations_of(event: Event, trace: Trace, names: TensorNames) -> tuple[Equation, ...]:
    """Return the equations of one event of a pass: one for each gradient that it made.

    Args:
        event: One of `trace.events`.
        trace: Recording of the pass.
        names: Names of the pass's tensors.
    """
    match event:
        case NodeEvent(name=name) if name == ACCUMULATE_GRAD:
            return tuple(_accumulation(event, names))
        case NodeEvent():
            return tuple(_of_node(event, names))
        case ReduceEvent():
            return (_reduction(event, trace, names),)
        case PathsEvent():
            return (_paths(event, names),)
        case HookEvent():
            return (_hook(event, names),)


def combined(equation: Equation) -> Tensor | None:
    """Return what an equation's operator makes of its terms; None if it is no single operation on them.

    It is computed as the screen says, so that a test can compare it with the recorded gradient.
    """
    upstream = equation.upstream.value
    local = None if equation.local is None else equation.local.value
    wanted = equation.downstream.value
    if not isinstance(upstream, Tensor) or not isinstance(wanted, Tensor):
        return None
    with torch.no_grad():
        match equation.operator:
            case Operator.SAME:
                return upstream
            case Operator.TIMES | Operator.EXPAND if local is not None:
                return (upstream * local).to(wanted.dtype)
            case Operator.MATMUL if isinstance(local, Tensor):
                return upstream @ local
            case Operator.MATMUL_LEFT if isinstance(local, Tensor):
                return local @ upstream
            case Operator.SUM:
                return upstream.sum_to_size(wanted.shape).to(wanted.dtype)
            case Operator.CAST:
                return upstream.to(wanted.dtype)
            case Operator.ADD:
                parts = [part.value for part in equation.parts if isinstance(part.value, Tensor)]
                total = parts[0]
                for part in parts[1:]:
                    total = total + part
                return total
            case _:
                return None


def _of_node(event: NodeEvent, names: TensorNames) -> Iterator[Equation]:
    sheet = worksheet_for(event)
    result = names.words_for_result(event)
    grads = event.grads_out or ()
    upstream = next((grad for grad in event.grads_in if grad is not None), None)
    for slot, grad in enumerate(grads):
        if grad is None or event.edges[slot] is None:
            continue
        downstream = Term(names.words_for_input(event, slot), grad)
        arrived = Term(result, upstream)
        if sheet is None or slot not in sheet.slots:
            yield Equation(Operator.RULE, arrived, downstream)
        else:
            yield _by_rule(sheet, slot, arrived, downstream, ScriptNames(event, sheet, names))


def _by_rule(
    sheet: Worksheet, slot: int, arrived: Term, downstream: Term, script_names: ScriptNames
) -> Equation:
    formula = sheet.formula(slot)
    found = local_term(formula)
    if sheet.event.grads_in[0] is None and "g" in names_in(formula):
        found = LocalTerm(Operator.RULE)
    if found.upstream != "g":
        arrived = Term(arrived.name, sheet.value(found.upstream, slot))
    shown = script_names.formula(formula)
    if not found.formula:
        return Equation(found.operator, arrived, downstream, formula=shown)
    value = _local_value(sheet, slot, found, downstream.value)
    if value is None:
        return Equation(Operator.RULE, arrived, downstream, formula=shown)
    local = Term(_local_name(found, script_names, value), value)
    return Equation(found.operator, arrived, downstream, local, shown)


def _local_value(sheet: Worksheet, slot: int, found: LocalTerm, made: Any) -> Tensor | float | None:
    """Return the local derivative as numbers; None if it cannot be read or does not fit the gradient."""
    if not isinstance(made, Tensor) or made.is_meta:
        return None
    if found.operator is Operator.EXPAND:
        return torch.ones_like(made)
    if found.formula.startswith(SPREAD):
        return 1 / float(sheet.value(found.formula.removeprefix(f"{SPREAD} / "), slot))
    try:
        value = sheet.value(found.formula, slot)
    except TROUBLE:
        return None
    if isinstance(value, bool | int | float):
        return float(value)
    return value if isinstance(value, Tensor) and not value.is_meta else None


def _local_name(found: LocalTerm, script_names: ScriptNames, value: Tensor | float) -> str:
    if found.operator is Operator.EXPAND:
        return "1"
    if found.formula.startswith(SPREAD) and isinstance(value, float) and value:
        return f"1 / {round(1 / value)}"
    return script_names.formula(found.formula.replace(SPREAD, "1"))


def _accumulation(event: NodeEvent, names: TensorNames) -> Iterator[Equation]:
    write = event.accumulation
    if write is None:
        return
    parameter = names.of_result(event)
    yield Equation(
        Operator.ACCUMULATE,
        Term(parameter, write.part),
        Term(parameter, write.after),
        Term(parameter, write.before),
    )


def _reduction(event: ReduceEvent, trace: Trace, names: TensorNames) -> Equation:
    made = trace.event_of(event.node)
    named = "" if made is None else names.words_for_input(made, event.output)
    operator = Operator.SUM if event.before.shape != event.after.shape else Operator.CAST
    return Equation(operator, Term(named, event.before), Term(named, event.after))


def _paths(event: PathsEvent, names: TensorNames) -> Equation:
    named = names.words_for_edge(Edge(event.node, event.slot))
    parts = tuple(Term(named, part) for part in event.parts)
    return Equation(Operator.ADD, parts[0], Term(named, event.total), parts=parts)


def _hook(event: HookEvent, names: TensorNames) -> Equation:
    named = names.words_for_edge(Edge(event.node, event.slot))
    return Equation(Operator.REPLACE, Term(named, event.before), Term(named, event.after))
