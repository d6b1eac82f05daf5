"""Draws the graph of a backward pass: chooses vertices, labels them, and marks those that have run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.characters import FLAT, TALL, Drawing, Plan
from gradstep_tui.drawing.graphs.layers import Net
from gradstep_tui.drawing.graphs.vertices import EventGraph, Vertex
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.steps import event_text, listed_name

if TYPE_CHECKING:
    from gradstep.frame import PassFrame

RAN, NOW, AHEAD = "x", ">", " "

MOST: Final = 400
"""Largest graph that is drawn whole, in vertices."""

PART: Final = 300
"""Number of vertices, around the current one, that are drawn of a graph with more than `MOST`."""

MOST_LABELLED: Final = 60
"""Largest number of vertices that are labelled with their expression as well as their name."""

EXPRESSION, BETWEEN = 16, 20
"""Most characters in a label of an expression, and of what is done between nodes."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The drawn graph of a backward pass."""

    drawing: Drawing
    vertices: tuple[int, ...]
    """Vertex of the pass's graph that each of the drawing's boxes stands for."""


def drawn(backward: PassFrame, graph: EventGraph, width: int, height: int) -> Drawn:
    """Return a pass's graph, in as much detail as fits: boxes and each node's expression, or only names.

    Args:
        backward: The backward pass.
        graph: Its graph.
        width: Width of the screen, in cells.
        height: Height of the screen, in cells.
    """
    chosen = _chosen(backward, graph)
    place = {vertex: number for number, vertex in enumerate(chosen)}
    edges, cut = list[tuple[Net, ...]](), set[int]()
    for vertex, nets in enumerate(graph.edges):
        if vertex in place:
            edges.append(tuple((place[end], slot) for end, slot in nets if end in place))
        cut |= {either for end, _ in nets if (vertex in place) != (end in place) for either in (vertex, end)}
    labels = [
        tuple(
            label(backward, graph.vertices[vertex], with_expression) + " …" * (vertex in cut)
            for vertex in chosen
        )
        for with_expression in (True, False)
    ]
    return Drawn(_fitting(tuple(edges), labels[0], labels[1], width, height), chosen)


def signs(backward: PassFrame, graph: EventGraph) -> list[str]:
    """Return a sign for each vertex: `RAN`, `NOW` for the one of the current event, or `AHEAD`."""
    found = [AHEAD] * len(graph.vertices)
    for vertex in graph.at[: backward.done]:
        found[vertex] = RAN
    if backward.done and not backward.over:
        found[graph.at[backward.done - 1]] = NOW
    return found


def current(backward: PassFrame, graph: EventGraph) -> int:
    """Return the vertex of the current event; before the first event, the node of the loss."""
    return graph.at[backward.done - 1] if backward.done else 0


@lru_cache(maxsize=4)
def _fitting(
    edges: tuple[tuple[Net, ...], ...],
    labels: tuple[str, ...],
    names: tuple[str, ...],
    width: int,
    height: int,
) -> Drawing:
    plan = Plan(edges)
    if len(edges) <= MOST_LABELLED:
        flat = plan.draw(labels, FLAT)
        if flat.width <= width:
            tall = plan.draw(labels, TALL)
            return tall if len(tall.rows) <= height else flat
    return plan.draw(names, FLAT)


def _chosen(backward: PassFrame, graph: EventGraph) -> tuple[int, ...]:
    count = len(graph.vertices)
    if count <= MOST:
        return tuple(range(count))
    events = [vertex.event for vertex in graph.vertices]
    order = sorted(range(count), key=lambda at: len(graph.at) if (event := events[at]) is None else event)
    step = PART // 3
    begin = min(max(order.index(current(backward, graph)) // step * step - step, 0), count - PART)
    return tuple(sorted(order[begin : begin + PART]))


def label(backward: PassFrame, vertex: Vertex, with_expression: bool = False) -> str:
    """Return a vertex's label, as in the list of events: number, name and, if asked for, description.

    Args:
        backward: The backward pass.
        vertex: The vertex.
        with_expression: Whether to add the script's expression that made the node, or what is done between
            nodes.
    """
    if vertex.event is None:
        assert vertex.node is not None
        node = backward.nodes[vertex.node]
        return f"-> {node.parameter or 'leaf'}.grad" if node.name == "AccumulateGrad" else node.name
    row = backward.rows[vertex.event]
    most = EXPRESSION if row.is_node else BETWEEN
    text = shortened_name(event_text(row), most) if with_expression and row.parameter is None else ""
    return f"{vertex.event + 1} {listed_name(row)}{f'  {text}' if text else ''}"
