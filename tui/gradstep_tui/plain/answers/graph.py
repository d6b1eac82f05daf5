"""Describes autograd's graph in sentences, a node at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.labels import AHEAD, NOW, RAN, label, signs
from gradstep_tui.drawing.graphs.vertices import Vertex, event_graph
from gradstep_tui.plain.answers.refusals import NO_PASS
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.steps import event_text

if TYPE_CHECKING:
    from gradstep.frame import Frame

BEGINS: Final = (
    "begins with the gradient of the loss by the loss itself, 1",
    "begins a backward pass inside this one",
)
STATES: Final = {RAN: "has run", NOW: "current", AHEAD: "still ahead"}


def graph_texts(frame: Frame) -> Iterator[str]:
    """Yield a line for every node: whether it has run, and the nodes before and after it."""
    backward = frame.backward
    if backward is None:
        yield empty_text(frame, NO_PASS)
        return
    graph = event_graph(backward.nodes, backward.events)
    names = [label(backward, vertex) for vertex in graph.vertices]
    to = [Counter(end for end, _ in nets) for nets in graph.edges]
    came: list[Counter[int]] = [Counter() for _ in names]
    for number, ends in enumerate(to):
        for end, times in ends.items():
            came[end][number] += times
    states = signs(backward, graph)
    yield f"the graph of loss.backward(): {len(backward.nodes)} nodes, from the loss to the leaves"
    for number in sorted(range(len(names)), key=lambda at: _order(graph.vertices[at])):
        gets = _from_text(came[number], names) if came[number] else BEGINS[number > 0]
        goes = f"goes to {_names_text(to[number], names)}" if to[number] else "the gradient ends here"
        what, vertex = "", graph.vertices[number]
        if vertex.node is None and vertex.event is not None:
            what = f" {event_text(backward.rows[vertex.event])}"
        yield f"{names[number]}{what}, {STATES[states[number]]}: {gets}; {goes}"


def _order(vertex: Vertex) -> float:
    """Return a vertex's place in the order of events; those that did not run come last."""
    return math.inf if vertex.event is None else vertex.event


def _from_text(came: Mapping[int, int], names: list[str]) -> str:
    many = sum(came.values())
    return f"{f'adds up {many} gradients, ' if many > 1 else ''}from {_names_text(came, names)}"


def _names_text(counts: Mapping[int, int], names: list[str]) -> str:
    times = {1: "", 2: " twice"}
    return " and ".join(
        f"{names[node]}{times.get(count, f' {count} times')}" for node, count in counts.items()
    )
