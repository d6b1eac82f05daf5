"""The nodes of a recorded graph: what is to be known of them, and which of them runs next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.autograd.events import ACCUMULATE_GRAD
from gradstep.autograd.node_calls import Passage, Visit
from gradstep.autograd.recorder import NodeInput
from gradstep.autograd.saved_tensors import Held, read_saved
from gradstep.torch_internals import AccumulateGrad, leaf_of, sequence_number_of


class Station(NamedTuple):
    """A node of the graph."""

    name: str
    sequence_nr: int
    edges: list[NodeInput | None]
    leaf: Tensor | None
    saved: Mapping[str, Any]

    @property
    def priority(self) -> float:
        """Of the nodes that are ready, the engine runs the one with the highest."""
        return self.sequence_nr if self.leaf is None else math.inf


def read_station(
    node: Node, edges: list[NodeInput | None], held: Held, copy: Callable[[Tensor], Tensor]
) -> Station:
    """Read a node off, after its pass; `copy` copies what it saved."""
    if isinstance(node, AccumulateGrad):
        return Station(ACCUMULATE_GRAD, -1, edges, leaf_of(node), {})
    return Station(node.name(), sequence_number_of(node), edges, None, read_saved(node, held, copy))


def next_to_run(stations: Sequence[Station], visits: Sequence[Visit], passage: Passage) -> int | None:
    """Find the node that was about to run in a pass: of those that wait for nothing more, the youngest."""
    done = {visit.node for visit in visits if visit.passage is passage}
    waiting = [number for number in _reached(stations, passage.roots) if number not in done]
    blocked = {edge[0] for number in waiting for edge in stations[number].edges if edge is not None}
    ready = [number for number in waiting if number not in blocked]
    return max(ready, key=lambda number: stations[number].priority, default=None)


def _reached(stations: Sequence[Station], roots: Sequence[int]) -> dict[int, None]:
    reached: dict[int, None] = {}
    waiting = list(roots)
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached[number] = None
            waiting += [edge[0] for edge in stations[number].edges if edge is not None]
    return reached
