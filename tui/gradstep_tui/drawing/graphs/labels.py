"""Draws the graph of a backward pass: chooses the nodes, labels them, and marks those that have run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.characters import FLAT, TALL, Drawing, Plan
from gradstep_tui.drawing.graphs.layers import Net
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.steps import event_text

if TYPE_CHECKING:
    from gradstep.autograd.events import Event
    from gradstep.autograd.graph import GraphNode
    from gradstep.frame import PassFrame, TraceRow

RAN, NOW, AHEAD = "x", ">", " "

MOST: Final = 400
"""Largest graph that is drawn whole, in nodes."""

PART: Final = 300
"""Number of nodes, around the current one, that are drawn of a graph with more than `MOST`."""

MOST_LABELLED: Final = 60
"""Largest number of nodes that are labelled with their expression as well as their name."""

EXPRESSION: Final = 16
"""Most characters of an expression in a label."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The drawn graph of a backward pass."""

    drawing: Drawing
    nodes: tuple[int, ...]
    """Node of the pass that each of the drawing's boxes stands for."""


def drawn(backward: PassFrame, width: int, height: int) -> Drawn:
    """Return a pass's graph, in as much detail as fits: boxes and each node's expression, or only names.

    Args:
        backward: The backward pass.
        width: Width of the screen, in cells.
        height: Height of the screen, in cells.
    """
    first = first_events(backward.events)
    nodes = _chosen(backward, first)
    place = {node: number for number, node in enumerate(nodes)}
    edges, cut = list[tuple[Net, ...]](), set[int]()
    for node, graph_node in enumerate(backward.nodes):
        nets = [(edge.node, edge.slot) for edge in graph_node.edges if edge is not None]
        if node in place:
            edges.append(tuple((place[end], slot) for end, slot in nets if end in place))
        cut |= {
            graph_node for end, _ in nets if (node in place) != (end in place) for graph_node in (node, end)
        }
    labels = [
        tuple(
            label(backward.nodes[node], first.get(node), backward.rows, with_expression)
            + " …" * (node in cut)
            for node in nodes
        )
        for with_expression in (True, False)
    ]
    return Drawn(_fitting(tuple(edges), labels[0], labels[1], width, height), nodes)


def signs(backward: PassFrame) -> list[str]:
    """Return a sign for each node: `RAN`, `NOW` for the node of the current event, or `AHEAD`."""
    found = [AHEAD] * len(backward.nodes)
    for event in backward.events[: backward.done]:
        if hasattr(event, "grads_out"):  # the event of a node, not of autograd's engine between nodes
            found[event.node] = RAN
    if backward.done and not backward.over:
        found[backward.events[backward.done - 1].node] = NOW
    return found


def current(backward: PassFrame) -> int:
    """Return the node of the current event; before the first event, the node of the loss."""
    return backward.events[backward.done - 1].node if backward.done else 0


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


def _chosen(backward: PassFrame, first: dict[int, int]) -> tuple[int, ...]:
    count = len(backward.nodes)
    if count <= MOST:
        return tuple(range(count))
    order = sorted(range(count), key=lambda node: first.get(node, len(backward.events)))
    step = PART // 3
    begin = min(max(order.index(current(backward)) // step * step - step, 0), count - PART)
    return tuple(sorted(order[begin : begin + PART]))


def first_events(events: Sequence[Event]) -> dict[int, int]:
    """Return the index of each node's first event, for the nodes that ran."""
    found: dict[int, int] = {}
    for number, event in enumerate(events):
        if hasattr(event, "grads_out"):
            found.setdefault(event.node, number)
    return found


def label(
    node: GraphNode, number: int | None, rows: Sequence[TraceRow], with_expression: bool = False
) -> str:
    """Return a node's label, as in the list of events: number, name and, if asked for, expression.

    Args:
        node: The node.
        number: Index of the node's first event; None if it did not run.
        rows: The list of events.
        with_expression: Whether to add the script's expression that made the node.
    """
    if number is None:
        return f"-> {node.parameter or 'leaf'}.grad" if node.name == "AccumulateGrad" else node.name
    row = rows[number]
    text = shortened_name(event_text(row), EXPRESSION) if with_expression and row.parameter is None else ""
    return f"{number + 1} {row.name}{f'  {text}' if text else ''}"
