"""Describes autograd's graph in sentences, a node at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.labels import AHEAD, NOW, RAN, first_events, label, signs
from gradstep_tui.plain.answers.refusals import NO_PASS
from gradstep_tui.text.frames import empty_text

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
    nodes, first = backward.nodes, first_events(backward.events)
    names = [label(node, first.get(number), backward.rows) for number, node in enumerate(nodes)]
    to = [Counter(edge.node for edge in node.edges if edge is not None) for node in nodes]
    came: list[Counter[int]] = [Counter() for _ in nodes]
    for number, ends in enumerate(to):
        for end, times in ends.items():
            came[end][number] += times
    states = signs(backward)
    yield f"the graph of loss.backward(): {len(nodes)} nodes, from the loss to the leaves"
    for number in sorted(range(len(nodes)), key=lambda node: first.get(node, len(backward.rows))):
        gets = _from_text(came[number], names) if came[number] else BEGINS[number > 0]
        goes = f"goes to {_names_text(to[number], names)}" if to[number] else "the gradient ends here"
        yield f"{names[number]}, {STATES[states[number]]}: {gets}; {goes}"


def _from_text(came: Mapping[int, int], names: list[str]) -> str:
    many = sum(came.values())
    return f"{f'adds up {many} gradients, ' if many > 1 else ''}from {_names_text(came, names)}"


def _names_text(counts: Mapping[int, int], names: list[str]) -> str:
    times = {1: "", 2: " twice"}
    return " and ".join(
        f"{names[node]}{times.get(count, f' {count} times')}" for node, count in counts.items()
    )
