"""The vertices of a drawn graph: autograd's nodes, and what its engine and hooks do between them.

They have the numbers and names of the list of events. A sum of several paths stands before the node that gets
the sum; the rest stands after the node that made the gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gradstep.autograd.events import HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep_tui.drawing.graphs.layers import Net

if TYPE_CHECKING:
    from gradstep.autograd.events import Event
    from gradstep.autograd.graph import GraphNode


_Key: TypeAlias = tuple[type[object], int, int, bool]
"""Kind of an event between nodes, a node, the number of a gradient, and whether the node has made it."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node of autograd's graph, or an event between two nodes."""

    node: int | None
    """Index of the node; None for an event between nodes."""

    event: int | None
    """Index of the vertex's event, the first one of a node; None for a node that did not run."""


@dataclass(frozen=True, slots=True)
class EventGraph:
    """Vertices of a backward pass: first all nodes in their order, then the events between them."""

    vertices: tuple[Vertex, ...]
    edges: tuple[tuple[Net, ...], ...]
    """For each vertex, the inputs of other vertices that its lines lead to."""

    at: tuple[int, ...]
    """Vertex of each event, by the event's index."""


def event_graph(nodes: Sequence[GraphNode], events: Sequence[Event]) -> EventGraph:
    """Return the graph of a backward pass.

    Args:
        nodes: All nodes of the graph.
        events: Events of the pass, in the order in which they happened.
    """
    builder = _Builder(nodes)
    at = tuple(builder.add(number, event) for number, event in enumerate(events))
    vertices, edges = builder.graph()
    return EventGraph(vertices, edges, at)


class _Builder:
    """Puts events, one after the other, on the lines between the nodes."""

    def __init__(self, nodes: Sequence[GraphNode]) -> None:
        self._nodes = nodes
        self._events: list[int | None] = [None] * len(nodes)
        """Event of each vertex."""

        self._known: dict[_Key, int] = {}
        """Vertices of the events between nodes, by what they belong to: a pass may do the same again."""

        self._sending: dict[tuple[int, int], list[int]] = {}
        """Vertices on the line that leaves a node, by the node and the number of its gradient."""

        self._entering: dict[Net, list[int]] = {}
        """Vertices on the way into a node, behind the point at which lines meet."""

    def add(self, number: int, event: Event) -> int:
        """Return the vertex of an event, which is new unless it is the event of a node or happened before."""
        if isinstance(event, NodeEvent):
            if self._events[event.node] is None:
                self._events[event.node] = number
            return event.node
        key, line = self._place(event)
        if key not in self._known:
            self._known[key] = len(self._events)
            line.append(len(self._events))
            self._events.append(number)
        return self._known[key]

    def _place(self, event: ReduceEvent | PathsEvent | HookEvent) -> tuple[_Key, list[int]]:
        """Return what an event between nodes belongs to, and the vertices on the line on which it stands."""
        match event:
            case ReduceEvent(node=node, output=int(output)) | HookEvent(sender=int(node), output=int(output)):
                leaves = True
            case PathsEvent(node=node, slot=output) | HookEvent(node=node, slot=output):
                # A hook on a `.grad` runs after the write to it.
                leaves = isinstance(event, HookEvent) and self._events[node] is not None
        lines = self._sending if leaves else self._entering
        return (type(event), node, output, leaves), lines.setdefault((node, output), [])

    def graph(self) -> tuple[tuple[Vertex, ...], tuple[tuple[Net, ...], ...]]:
        """Return all vertices, and for each of them the inputs that its lines lead to."""
        edges: list[list[Net]] = [[] for _ in self._events]

        def join(chain: Sequence[int]) -> None:
            for one, other in itertools.pairwise(chain):
                edges[one].append((other, 0))

        for number, node in enumerate(self._nodes):
            for output, edge in enumerate(node.edges):
                sending = [number, *self._sending.pop((number, output), [])]
                join(sending)
                if edge is not None:
                    entering = self._entering.get((edge.node, edge.slot))
                    edges[sending[-1]].append((entering[0], 0) if entering else (edge.node, edge.slot))
        for (number, _), after in self._sending.items():  # a leaf sends nothing on
            join([number, *after])
        for net, entering in self._entering.items():
            join(entering)
            edges[entering[-1]].append(net)
        count = len(self._nodes)
        vertices = tuple(
            Vertex(number if number < count else None, event) for number, event in enumerate(self._events)
        )
        return vertices, tuple(map(tuple, edges))
