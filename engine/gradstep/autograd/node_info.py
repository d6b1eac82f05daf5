"""Facts about the nodes of a recorded graph, and which of them the engine was about to run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.autograd.events import ACCUMULATE_GRAD
from gradstep.autograd.node_calls import EnginePass, NodeCall
from gradstep.autograd.recorder import NodeInput
from gradstep.autograd.saved_tensors import HeldTensors, read_saved
from gradstep.autograd.source_map import FoundSources, Source
from gradstep.torch_internals import AccumulateGrad, leaf_of, sequence_number_of


class NodeInfo(NamedTuple):
    """Everything that a trace shows of a node, so that the node itself can be released."""

    name: str
    """Autograd's name, e.g. `MulBackward0`, or `AccumulateGrad`."""

    sequence_nr: int
    """Number of the node, by the order in which its thread made nodes; -1 for `AccumulateGrad`."""

    edges: list[NodeInput | None]
    """Receivers of the node's gradients; None for a gradient that is not needed."""

    leaf: Tensor | None
    """The leaf of an `AccumulateGrad`; None for all other nodes."""

    saved: Mapping[str, Any]
    """Copies of the operands that the forward operation saved, by PyTorch's names."""

    source: Source | None
    """Forward expression that made the node; None if no watched call made it, and for `AccumulateGrad`."""

    @property
    def priority(self) -> float:
        """Rank in the engine's queue: of the nodes that are ready, the engine runs the highest."""
        return self.sequence_nr if self.leaf is None else math.inf


def read_node(
    node: Node,
    edges: list[NodeInput | None],
    held: HeldTensors,
    copy: Callable[[Tensor], Tensor],
    sources: FoundSources | None = None,
) -> NodeInfo:
    """Return the facts about a node after its pass.

    Args:
        node: The node.
        edges: Receivers of its gradients.
        held: Tensors that it saved, held since before the pass.
        copy: Called for each saved tensor; returns the copy to keep.
        sources: Calls of the watched forward pass; None if it was not watched.
    """
    if isinstance(node, AccumulateGrad):
        return NodeInfo(ACCUMULATE_GRAD, -1, edges, leaf_of(node), {}, None)
    source = None if sources is None else sources.find(node)
    return NodeInfo(node.name(), sequence_number_of(node), edges, None, read_saved(node, held, copy), source)


def next_to_run(nodes: Sequence[NodeInfo], calls: Sequence[NodeCall], engine_pass: EnginePass) -> int | None:
    """Return the index of the node that the engine was about to run when a pass ended.

    Of the nodes that wait for no other node, it is the one that was made last. None if all nodes had run.
    """
    done = {call.node for call in calls if call.engine_pass is engine_pass}
    waiting = [number for number in _reached(nodes, engine_pass.roots) if number not in done]
    blocked = {edge[0] for number in waiting for edge in nodes[number].edges if edge is not None}
    ready = [number for number in waiting if number not in blocked]
    return max(ready, key=lambda number: nodes[number].priority, default=None)


def _reached(nodes: Sequence[NodeInfo], roots: Sequence[int]) -> dict[int, None]:
    """Return the indices of all nodes that the roots lead to, in the order in which they are found."""
    reached: dict[int, None] = {}
    waiting = list(roots)
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached[number] = None
            waiting += [edge[0] for edge in nodes[number].edges if edge is not None]
    return reached
