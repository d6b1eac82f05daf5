"""What happened in one backward pass, as frozen facts.

A pass is told as a sequence of events. Most are autograd nodes; what PyTorch's engine does between the nodes
is an event of its own, because that is where learners trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.autograd.source_map import Source

ACCUMULATE_GRAD = "AccumulateGrad"


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a gradient goes: to one input of another node."""

    node: int
    """Index of the receiving node in `Trace.nodes`."""

    slot: int
    """Which output of that node's forward operation the gradient belongs to."""


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A saved tensor that was changed in place before anybody looked at it."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A saved value that autograd would not hand out without changing the pass; `why` says so in words."""

    why: str


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One write to a `.grad`: `after = before + part`."""

    parameter: str | None
    """The leaf's name; None where the caller gave it none."""

    before: Tensor | None
    """`.grad` before, of the leaf's shape; None where there was none."""

    part: Tensor | None
    """What this pass adds; None where autograd delivered an undefined gradient."""

    after: Tensor | None
    """`.grad` after; None where there still is none. What a hook does to it then is a `HookEvent`."""


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """One autograd node, as PyTorch's engine ran it."""

    node: int
    """Its index in `Trace.nodes`."""

    name: str
    """Autograd's name, e.g. `MulBackward0`, or `AccumulateGrad`."""

    depth: int
    """0 in the pass itself, 1 in a pass that a node started (a checkpoint, say), and so on."""

    grads_in: tuple[Tensor | None, ...]
    """dL/d(output), one per forward output; None where none arrived."""

    grads_out: tuple[Tensor | None, ...] | None
    """dL/d(input), one per forward input, as the node made them; None where the node raised."""

    edges: tuple[Edge | None, ...]
    """Where each of `grads_out` goes; None where nobody needs it."""

    saved: Mapping[str, Any]
    """What the forward operation saved, under PyTorch's names (`self`, `other`, `dim`, ...)."""

    source: Source | None
    """The forward expression that made the node; None where it was not watched."""

    accumulation: Accumulation | None
    """The write to `.grad`, for `AccumulateGrad` only."""


@dataclass(frozen=True, slots=True)
class ReduceEvent:
    """The engine summed a broadcast gradient to the shape of the input, or cast it to its dtype."""

    node: int
    """The node that made the gradient."""

    output: int
    """Which of its `grads_out` this is."""

    depth: int
    before: Tensor
    """As the node made it."""

    after: Tensor
    """As it is handed on, with the shape and dtype of the forward input."""


@dataclass(frozen=True, slots=True)
class PathsEvent:
    """The engine added the gradients that reached one tensor by several paths, in the order of arrival."""

    node: int
    """The node that waits for the sum."""

    slot: int
    """Which of its `grads_in` the sum becomes."""

    depth: int
    producers: tuple[int, ...]
    """The nodes that the parts came from, one per part."""

    parts: tuple[Tensor, ...]
    total: Tensor


@dataclass(frozen=True, slots=True)
class HookEvent:
    """A hook (`Tensor.register_hook`, `Node.register_prehook`) changed a gradient on its way into a node.

    Right after a write to `.grad` it tells that a hook (`register_post_accumulate_grad_hook`) changed it.
    """

    node: int
    slot: int
    depth: int
    before: Tensor | None
    after: Tensor | None


Event: TypeAlias = NodeEvent | ReduceEvent | PathsEvent | HookEvent
