"""Explanations of what PyTorch's engine and hooks do to gradients between two nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, Edge, HookEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.labels import grad_name
from gradstep.derivatives.sentence import Sentence
from gradstep.derivatives.tensor_names import TensorNames

SUMMED: Final[Mapping[str, str]] = {
    "rows": "In the forward pass {tensor} was broadcast from {small} to {large}, so its gradient is summed "
    "over {count} rows.",
    "columns": "In the forward pass {tensor} was broadcast from {small} to {large}, so its gradient is "
    "summed over {count} columns.",
    "all": "In the forward pass {tensor} was broadcast from {small} to {large}, so its gradient is summed "
    "over all elements.",
    "dims": "In the forward pass {tensor} was broadcast from {small} to {large}, so its gradient is summed "
    "over dim {dims}.",
}
"""Sentences about a sum over broadcast dims, by what is summed over."""

CAST: Final = "In the forward pass {tensor} had dtype {dtype}, so its gradient is cast to that."

PATHS: Final = (
    "In the forward pass {tensor} was used {count} times, so the gradients of these {count} paths are added."
)

HOOK: Final = "A hook replaced the gradient of {tensor}; the pass goes on with what the hook returned."

UNNAMED: Final = "an input of {node}"
"""Words for a tensor that the script has no name for."""

BROADCAST: Final = Sentence(
    "Broadcasting uses one number in several places, as if it had been copied there. If that number grows a "
    "little, every copy grows by as much, so the effects of all copies add up. The sum of the gradients of "
    "the copies is the gradient of the one number, and it has the shape of the tensor again."
)

SEVERAL_PATHS: Final = Sentence(
    "A tensor that is used more than once changes the loss on each of those ways. The effects of a small "
    "change add up, so its gradient is the sum of what comes back on every path. PyTorch waits for all of "
    "them before it goes on to the node that made the tensor."
)


def explain_reduction(event: ReduceEvent, trace: Trace, names: TensorNames) -> Explanation:
    """Explain how the engine gave a gradient the shape and dtype of the input that it belongs to."""
    before, after = event.before, event.after
    made = trace.event_of(event.node)
    name = "" if made is None else names.words_for_input(made, event.output)
    name = name or UNNAMED.format(node=_node_name(event.node, trace))
    title, formula, sentences = "", "g", list[Sentence]()
    if before.shape != after.shape:
        title = "the engine sums a gradient"
        formula += f".sum_to_size({tuple(after.shape)})"
        sentences.append(_summed(name, tuple(before.shape), tuple(after.shape)))
    if before.dtype != after.dtype:
        title = "the engine sums and casts a gradient" if title else "the engine casts a gradient"
        formula += f".to({after.dtype})"
        sentences.append(Sentence(CAST, {"tensor": name, "dtype": _dtype(after)}))
    return Explanation(
        title=title,
        source=None,
        formulas=(("after", formula),),
        sentences=tuple(sentences),
        operands=(Operand("g", before),),
        results=(Operand("after", after),),
        reason=BROADCAST if before.shape != after.shape else None,
    )


def explain_paths(event: PathsEvent, trace: Trace, names: TensorNames) -> Explanation:
    """Explain how the engine added up the gradients that arrived on several paths."""
    named = names.words_for_edge(Edge(event.node, event.slot)) or "one tensor"
    parts = [f"g{number}" for number in range(1, len(event.parts) + 1)]
    return Explanation(
        title="the engine adds gradients",
        source=None,
        formulas=(("total", " + ".join(parts)),),
        sentences=(Sentence(PATHS, {"tensor": named, "count": str(len(parts))}),),
        operands=tuple(Operand(name, part) for name, part in zip(parts, event.parts, strict=True)),
        results=(Operand("total", event.total),),
        reason=SEVERAL_PATHS,
    )


def explain_hook(event: HookEvent, trace: Trace, names: TensorNames) -> Explanation:
    """Explain that a hook changed a gradient."""
    node = event.node if event.sender is None else event.sender
    name = names.words_for_edge(Edge(event.node, event.slot)) or UNNAMED.format(node=_node_name(node, trace))
    return Explanation(
        title="a hook replaced a gradient",
        source=None,
        formulas=(),
        sentences=(Sentence(HOOK, {"tensor": name}),),
        operands=(Operand("before", event.before),),
        results=(Operand("after", event.after),),
    )


def _node_name(node: int, trace: Trace) -> str:
    event = trace.event_of(node)
    if event is None:
        return "a node"
    return grad_name(event) if event.name == ACCUMULATE_GRAD else event.name


def _summed(name: str, large: tuple[int, ...], small: tuple[int, ...]) -> Sentence:
    """Return the sentence about the dims over which a broadcast gradient is summed."""
    new = len(large) - len(small)
    dims = [dim for dim, size in enumerate(large) if dim < new or size != small[dim - new]]
    kind, count = "dims", large[dims[0]]
    if len(large) == 2 and len(dims) == 1 and count != 1:
        kind = ("rows", "columns")[dims[0]]
    elif len(dims) == len(large):
        kind = "all"
    long = ", ".join(f"{dim} ({large[dim]} long)" for dim in dims)
    texts = {"tensor": name, "small": str(small), "large": str(large), "count": str(count), "dims": long}
    return Sentence(SUMMED[kind], texts)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
