"""What is drawn of a backward pass: which nodes, their labels, and how far each has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.characters import FLAT, TALL, Drawing, Plan
from gradstep_tui.drawing.graphs.layers import Net

if TYPE_CHECKING:
    from gradstep.autograd.events import Event
    from gradstep.autograd.graph import GraphNode
    from gradstep.frame import PassFrame, TraceRow

RAN, NOW, AHEAD = "x", ">", " "

MOST: Final = 400
"""Nodes that are drawn at the most; of more, those around the current one."""

PART: Final = 300
"""So many of them then."""

MOST_BRIEF: Final = 60
"""Of more nodes, only the names are drawn."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pass's graph, drawn."""

    drawing: Drawing
    nodes: tuple[int, ...]
    """Which node each of the drawing's boxes stands for."""


def drawn(backward: PassFrame, width: int, height: int) -> Drawn:
    """Draw a pass's graph as it fits best: with boxes and what each node does, or with less."""
    first = first_events(backward.events)
    nodes = _chosen(backward, first)
    place = {node: number for number, node in enumerate(nodes)}
    edges, cut = list[tuple[Net, ...]](), set[int]()
    for node, one in enumerate(backward.nodes):
        nets = [(edge.node, edge.slot) for edge in one.edges if edge is not None]
        if node in place:
            edges.append(tuple((place[end], slot) for end, slot in nets if end in place))
        cut |= {one for end, _ in nets if (node in place) != (end in place) for one in (node, end)}
    labels = [
        tuple(
            label(backward.nodes[node], first.get(node), backward.rows, with_brief) + " …" * (node in cut)
            for node in nodes
        )
        for with_brief in (True, False)
    ]
    return Drawn(_fitting(tuple(edges), labels[0], labels[1], width, height), nodes)


def signs(backward: PassFrame) -> list[str]:
    """Tell for each node whether it ran, is what the current event is about, or is still ahead."""
    found = [AHEAD] * len(backward.nodes)
    for event in backward.events[: backward.done]:
        if hasattr(event, "grads_out"):  # a node; what the engine does in between is no run
            found[event.node] = RAN
    if backward.done and not backward.over:
        found[backward.events[backward.done - 1].node] = NOW
    return found


def current(backward: PassFrame) -> int:
    """Give the node that the current event is about; the loss's before the first event."""
    return backward.events[backward.done - 1].node if backward.done else 0


@lru_cache(maxsize=4)
def _fitting(
    edges: tuple[tuple[Net, ...], ...],
    briefs: tuple[str, ...],
    names: tuple[str, ...],
    width: int,
    height: int,
) -> Drawing:
    plan = Plan(edges)
    if len(edges) <= MOST_BRIEF:
        flat = plan.draw(briefs, FLAT)
        if flat.width <= width:
            tall = plan.draw(briefs, TALL)
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
    """Give for each node that ran, which event its first run is, counted from 0."""
    found: dict[int, int] = {}
    for number, event in enumerate(events):
        if hasattr(event, "grads_out"):
            found.setdefault(event.node, number)
    return found


def label(node: GraphNode, number: int | None, rows: Sequence[TraceRow], with_brief: bool = False) -> str:
    """Write a node as the list of events has it: its number there, its name, what it does."""
    if number is None:
        return f"-> {node.parameter or 'leaf'}.grad" if node.name == "AccumulateGrad" else node.name
    row = rows[number]
    brief = f"  {row.brief}" if with_brief and row.brief != row.name else ""
    return f"{number + 1} {row.name}{brief}"
