"""Explanations of what PyTorch's engine and hooks do to gradients between two nodes."""

from __future__ import annotations

from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.labels import grad_name, ordinal


def explain_reduction(event: ReduceEvent, trace: Trace) -> Explanation:
    """Explain how the engine gave a gradient the shape and dtype of the input that it belongs to."""
    before, after = event.before, event.after
    given = f"the {ordinal(event.output + 1)} input of {_node_name(event.node, trace)}"
    formula, words, done = "g", list[str](), list[str]()
    if before.shape != after.shape:
        formula += f".sum_to_size({tuple(after.shape)})"
        words.append(
            f"was broadcast from {tuple(after.shape)} to {tuple(before.shape)}, "
            f"so its gradient is summed {_over(tuple(before.shape), tuple(after.shape))}"
        )
        done.append("sums")
    if before.dtype != after.dtype:
        formula += f".to({after.dtype})"
        words.append(f"has dtype {_dtype(after)}, so its gradient is cast to that")
        done.append("casts")
    return Explanation(
        title=f"the engine {' and '.join(done)} a gradient",
        source=None,
        formulas=(("after", formula),),
        words=f"{given} {' and '.join(words)}",
        operands=(Operand("g", before),),
        results=(Operand("after", after),),
    )


def explain_paths(event: PathsEvent, trace: Trace) -> Explanation:
    """Explain how the engine added up the gradients that arrived on several paths."""
    makers = [_node_name(producer, trace) for producer in event.producers]
    names = [f"g{number}" for number in range(1, len(event.parts) + 1)]
    return Explanation(
        title="the engine adds gradients",
        source=None,
        formulas=(("total", " + ".join(names)),),
        words=f"{len(names)} paths meet here, from {' and '.join(makers)}: their gradients are added",
        operands=tuple(Operand(name, part) for name, part in zip(names, event.parts, strict=True)),
        results=(Operand("total", event.total),),
    )


def explain_hook(event: HookEvent, trace: Trace) -> Explanation:
    """Explain that a hook changed a gradient."""
    return Explanation(
        title="a hook replaced a gradient",
        source=None,
        formulas=(),
        words=f"a hook changed the gradient on its way into {_node_name(event.node, trace)}; "
        "the pass continues with the gradient that the hook returned",
        operands=(Operand("before", event.before),),
        results=(Operand("after", event.after),),
    )


def _node_name(node: int, trace: Trace) -> str:
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.node == node:
            return grad_name(event) if event.name == ACCUMULATE_GRAD else event.name
    return "a node"


def _over(large: tuple[int, ...], small: tuple[int, ...]) -> str:
    """Return the dims over which a broadcast gradient is summed, in words, e.g. `over 5 rows`."""
    padded = (1,) * (len(large) - len(small)) + small
    dims = [dim for dim, (after, before) in enumerate(zip(large, padded, strict=True)) if after != before]
    if len(large) == 2 and len(dims) == 1:
        count, kind = large[dims[0]], ("row", "column")[dims[0]]
        return f"over {count} {kind}{'s' * (count != 1)}"
    if len(dims) == len(large):
        return "over all elements"
    return "over dim " + " and ".join(f"{dim} ({large[dim]} long)" for dim in dims)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
