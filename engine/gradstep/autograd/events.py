"""Events of one backward pass, as frozen facts.

A recorded pass is a sequence of events. Most are calls of autograd nodes. What PyTorch's engine does between
the nodes has events of its own, because these steps surprise learners most often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.autograd.source_map import Source

ACCUMULATE_GRAD = "AccumulateGrad"
"""Name of the node that adds to a leaf's `.grad`."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Receiver of a gradient: one output of the forward operation of another node."""

    node: int
    """Index of the receiving node in `Trace.nodes`."""

    slot: int
    """Output of the receiving node's forward operation that the gradient is for, counted from 0."""


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A saved tensor that was changed in place before it could be copied."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A saved value that autograd does not hand out without changing the pass."""

    why: str
    """Reason, in words."""


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One write to a `.grad`: `after = before + part`."""

    parameter: str | None
    """Name of the leaf; None if the caller of `record_backward` gave it none."""

    before: Tensor | None
    """`.grad` before the write, of the leaf's shape; None if there was none."""

    part: Tensor | None
    """Gradient that this pass adds; None if autograd delivered an undefined gradient."""

    after: Tensor | None
    """`.grad` right after the write, before any hook changes it; None if there still is none."""


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """One call of an autograd node by PyTorch's engine."""

    node: int
    """Index of the node in `Trace.nodes`."""

    name: str
    """Autograd's name, e.g. `MulBackward0`, or `AccumulateGrad`."""

    depth: int
    """0 in the recorded pass, 1 in a pass that one of its nodes started (a checkpoint's), and so on."""

    grads_in: tuple[Tensor | None, ...]
    """dL/d(output), one per output of the forward operation; None if none arrived."""

    grads_out: tuple[Tensor | None, ...] | None
    """dL/d(input), one per input of the forward operation, as the node made them; None if the node raised."""

    edges: tuple[Edge | None, ...]
    """Receiver of each of `grads_out`; None for a gradient that is not needed."""

    saved: Mapping[str, Any]
    """Operands that the forward operation saved, by PyTorch's names (`self`, `other`, `dim`, ...)."""

    source: Source | None
    """Forward expression that made the node; None if the forward pass was not watched."""

    accumulation: Accumulation | None
    """The write to `.grad`; None for all nodes but `AccumulateGrad`."""


@dataclass(frozen=True, slots=True)
class ReduceEvent:
    """The engine summed a broadcast gradient to the shape of the input, or cast it to its dtype."""

    node: int
    """Index in `Trace.nodes` of the node that made the gradient."""

    output: int
    """Index of the gradient in the node's `grads_out`."""

    depth: int
    """Depth of the pass, as in `NodeEvent`."""

    before: Tensor
    """Gradient as the node made it."""

    after: Tensor
    """Gradient as the engine hands it on, with the shape and dtype of the forward input."""


@dataclass(frozen=True, slots=True)
class PathsEvent:
    """The engine added the gradients that reached one tensor by several paths, in the order of arrival."""

    node: int
    """Index in `Trace.nodes` of the node that receives the sum."""

    slot: int
    """Index of the sum in the receiving node's `grads_in`."""

    depth: int
    """Depth of the pass, as in `NodeEvent`."""

    producers: tuple[int, ...]
    """Indices of the nodes that sent the parts, one per part."""

    parts: tuple[Tensor, ...]
    """Gradients that were added, all of one shape."""

    total: Tensor
    """Sum of `parts`."""


@dataclass(frozen=True, slots=True)
class HookEvent:
    """A hook changed a gradient on its way from node to node, or a `.grad` right after a write.

    Hooks on the way are `Node.register_hook` of the node that sends the gradient, then `Tensor.register_hook`
    and `Node.register_prehook`; hooks after a write are `Tensor.register_post_accumulate_grad_hook`.
    """

    node: int
    """Index in `Trace.nodes` of the node that the gradient enters, or of the leaf's `AccumulateGrad`."""

    slot: int
    """Index of the gradient in the node's `grads_in`; 0 for a `.grad`."""

    depth: int
    """Depth of the pass, as in `NodeEvent`."""

    before: Tensor | None
    """Gradient before the hook; None if it was undefined."""

    after: Tensor | None
    """Gradient after the hook; None if it is undefined."""

    sender: int | None = None
    """Index in `Trace.nodes` of the node whose own hook changed the gradient as it left; None for other
    hooks, which see the sum of all paths."""

    output: int | None = None
    """Index of the gradient in the sender's `grads_out`; None if there is no sender."""


Event: TypeAlias = NodeEvent | ReduceEvent | PathsEvent | HookEvent


def event_name(event: Event) -> str:
    """Return the name of an event in a list: `Mul`, `-> w.grad`, or `engine` or `hook` between nodes."""
    match event:
        case NodeEvent(accumulation=Accumulation(parameter=name)):
            return f"-> {name or 'leaf'}.grad"
        case NodeEvent(name=name):
            return name.rstrip("0123456789").removesuffix("Backward")
        case HookEvent():
            return "hook"
        case _:
            return "engine"
