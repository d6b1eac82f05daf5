"""The numbers from which a pass made what it adds to an element of a `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor

from gradstep.autograd.events import Event, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.equations.equation import Equation, Operator
from gradstep.equations.equations import equations_of
from gradstep.ledger.ledger import Write
from gradstep.predicting.case import Case
from gradstep.predicting.node_slips import factors_of
from gradstep.predictions.exercise import Factor, Part

MOST_FACTORS: Final = 6
"""Numbers of one factor that are shown."""

Index = tuple[int, ...]


def makers_of(case: Case, write: Write) -> tuple[Factor, ...]:
    """Return the factors of what a pass adds; nothing if they are many, or if there is no single product."""
    passing = case.ran.after.passing
    if passing is None or passing.earlier or write.event > len(passing.trace):
        return ()
    trace = passing.trace
    event = trace.events[write.event - 1]
    if not isinstance(event, NodeEvent):
        return ()
    names = TensorNames(trace, case.ran.problem.loss_variable)
    return _into(trace, write.event - 1, event.node, case.target.index, names)


def _into(trace: Trace, before: int, node: int, index: Index, names: TensorNames) -> tuple[Factor, ...]:
    """Return the factors of an element of the gradient that reaches a node."""
    for number in range(before - 1, -1, -1):
        event = trace.events[number]
        found = _of_event(trace, number, event, node, index, names)
        if found is not None:
            return found
    return ()


def _of_event(
    trace: Trace, number: int, event: Event, node: int, index: Index, names: TensorNames
) -> tuple[Factor, ...] | None:
    match event:
        case PathsEvent(node=receiver) if receiver == node:
            return _few(Part.PATH, [part[index].item() for part in event.parts])
        case NodeEvent(edges=edges) if any(edge is not None and edge.node == node for edge in edges):
            slot = next(at for at, edge in enumerate(edges) if edge is not None and edge.node == node)
            reduced = _reduced(trace, number, event, slot)
            if reduced is not None:
                return _few(Part.PATH, _summed(reduced, index))
            if event.name == "TBackward0" and len(index) == 2:
                return _into(trace, number, event.node, index[::-1], names)
            made = [edge is not None for edge in edges[:slot]].count(True)
            return factors_at(equations_of(event, trace, names)[made], index)
    return None


def _reduced(trace: Trace, number: int, event: NodeEvent, slot: int) -> ReduceEvent | None:
    """Return the sum over a broadcast dimension that follows a node's gradient; None if there is none."""
    for after in trace.events[number + 1 :]:
        if isinstance(after, NodeEvent):
            return None
        is_sum = isinstance(after, ReduceEvent) and after.before.shape != after.after.shape
        if isinstance(after, ReduceEvent) and is_sum and (after.node, after.output) == (event.node, slot):
            return after
    return None


def _summed(event: ReduceEvent, index: Index) -> list[float]:
    """Return the elements that are summed to one."""
    missing = event.before.dim() - event.after.dim()
    place = [slice(None)] * missing + [
        slice(None) if event.after.shape[at] != event.before.shape[at + missing] else slice(here, here + 1)
        for at, here in enumerate(index)
    ]
    found: list[float] = event.before[tuple(place)].flatten().tolist()
    return found


def factors_at(equation: Equation, index: Index) -> tuple[Factor, ...]:
    """Return the factors of one element of what an equation makes; nothing if they are many or unknown."""
    if equation.operator is Operator.ADD:
        parts = [part.value[index].item() for part in equation.parts if isinstance(part.value, Tensor)]
        return _few(Part.PATH, parts)
    local = "" if equation.local is None else equation.local.name
    if equation.operator in (Operator.MATMUL, Operator.MATMUL_LEFT):
        rows = factors_of(equation, index)
        if rows is None:
            return ()
        upstream = _few(Part.UPSTREAM, rows[0], equation.upstream.name)
        return (*upstream, *_few(Part.LOCAL, rows[1], local)) if upstream else ()
    if equation.operator not in (Operator.TIMES, Operator.EXPAND, Operator.SAME):
        return ()
    sides = [(Part.UPSTREAM, equation.upstream), (Part.LOCAL, equation.local)]
    found = list[Factor]()
    for part, term in sides:
        value = None if term is None else _spread(term.value, equation, index)
        if term is not None and value is not None:
            found.append(Factor(part, (value,), term.name))
    return tuple(found)


def _spread(value: Tensor | float | None, equation: Equation, index: Index) -> float | None:
    made = equation.downstream.value
    if isinstance(value, float):
        return value
    if not isinstance(value, Tensor) or not isinstance(made, Tensor) or value.is_meta:
        return None
    try:
        return float(value.expand(made.shape)[index].item())
    except RuntimeError:
        return None


def _few(part: Part, numbers: Sequence[float], name: str = "") -> tuple[Factor, ...]:
    return (Factor(part, tuple(numbers), name),) if 0 < len(numbers) <= MOST_FACTORS else ()
