"""Explanations of what PyTorch's engine and hooks do to gradients between two nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, HookEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.labels import grad_name

SUMMED: Final[Mapping[str, str]] = {
    "rows": "input {slot} of {node} was broadcast from {small} to {large}, so its gradient is summed over "
    "{count} rows",
    "columns": "input {slot} of {node} was broadcast from {small} to {large}, so its gradient is summed over "
    "{count} columns",
    "all": "input {slot} of {node} was broadcast from {small} to {large}, so its gradient is summed over "
    "all elements",
    "dims": "input {slot} of {node} was broadcast from {small} to {large}, so its gradient is summed over "
    "dim {dims}",
}
"""Sentences about a sum over broadcast dims, by what is summed over."""

CAST: Final = "input {slot} of {node} has dtype {dtype}, so its gradient is cast to that"


def explain_reduction(event: ReduceEvent, trace: Trace) -> Explanation:
    """Explain how the engine gave a gradient the shape and dtype of the input that it belongs to."""
    before, after = event.before, event.after
    slot, node = event.output + 1, _node_name(event.node, trace)
    title, formula, sentences = "", "g", list[str]()
    if before.shape != after.shape:
        title = "the engine sums a gradient"
        formula += f".sum_to_size({tuple(after.shape)})"
        sentences.append(_summed(slot, node, tuple(before.shape), tuple(after.shape)))
    if before.dtype != after.dtype:
        title = "the engine sums and casts a gradient" if title else "the engine casts a gradient"
        formula += f".to({after.dtype})"
        sentences.append(CAST.format(slot=slot, node=node, dtype=_dtype(after)))
    return Explanation(
        title=title,
        source=None,
        formulas=(("after", formula),),
        words="; ".join(sentences),
        operands=(Operand("g", before),),
        results=(Operand("after", after),),
    )


def explain_paths(event: PathsEvent, trace: Trace) -> Explanation:
    """Explain how the engine added up the gradients that arrived on several paths."""
    makers = ", ".join(_node_name(producer, trace) for producer in event.producers)
    names = [f"g{number}" for number in range(1, len(event.parts) + 1)]
    return Explanation(
        title="the engine adds gradients",
        source=None,
        formulas=(("total", " + ".join(names)),),
        words=f"{len(names)} paths meet here, from {makers}: their gradients are added",
        operands=tuple(Operand(name, part) for name, part in zip(names, event.parts, strict=True)),
        results=(Operand("total", event.total),),
    )


def explain_hook(event: HookEvent, trace: Trace) -> Explanation:
    """Explain that a hook changed a gradient."""
    if event.sender is None:
        way = f"into {_node_name(event.node, trace)}"
    else:
        way = f"out of {_node_name(event.sender, trace)}"
    return Explanation(
        title="a hook replaced a gradient",
        source=None,
        formulas=(),
        words=f"a hook changed the gradient on its way {way}; "
        "the pass continues with the gradient that the hook returned",
        operands=(Operand("before", event.before),),
        results=(Operand("after", event.after),),
    )


def _node_name(node: int, trace: Trace) -> str:
    event = trace.event_of(node)
    if event is None:
        return "a node"
    return grad_name(event) if event.name == ACCUMULATE_GRAD else event.name


def _summed(slot: int, node: str, large: tuple[int, ...], small: tuple[int, ...]) -> str:
    """Return the sentence about the dims over which a broadcast gradient is summed."""
    new = len(large) - len(small)
    dims = [dim for dim, size in enumerate(large) if dim < new or size != small[dim - new]]
    kind, count = "dims", large[dims[0]]
    if len(large) == 2 and len(dims) == 1 and count != 1:
        kind = ("rows", "columns")[dims[0]]
    elif len(dims) == len(large):
        kind = "all"
    long = ", ".join(f"{dim} ({large[dim]} long)" for dim in dims)
    return SUMMED[kind].format(slot=slot, node=node, small=small, large=large, count=count, dims=long)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
