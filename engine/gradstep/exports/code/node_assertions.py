"""Assertions of the gradients shown at an event of a backward pass, as recorded by the export's `watch`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from torch import Tensor

from gradstep.autograd.events import Edge, Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.derivatives import Explanation
from gradstep.exports.code.assertions import check
from gradstep.exports.recording.passes import Pass, is_write

WATCH = "came, made, saved = watch(loss)  # hooks record the gradients at every node"
CPP = "torch::autograd::"
"""Prefix that PyTorch gives to the names of a few nodes; labels leave it out."""

NESTED = "# This node belongs to a backward pass inside this one: its numbers are not checked again."


def check_event(passing: Pass, place: int, step: Explanation) -> Iterator[str]:
    """Yield assertions of the gradients and the saved tensors that an event shows.

    The work of autograd's engine between two nodes is visible at those nodes: the sum of several paths
    arrives at the next node, and a gradient summed to the shape of a broadcast input leaves the node before.
    """
    event = passing.events[place]
    if is_write(event):
        return  # asserted together with the `.grad` that the node writes to
    if event.depth:
        yield NESTED
        return
    labels = _labels(passing.events)
    match event:
        case NodeEvent():
            yield from _node(event, _reduced(passing.events, place), labels, step)
        case PathsEvent(node=node, slot=slot, total=total):
            for maker, output, part in _paths(event, passing.events):
                yield from check(f"from {labels[maker]}", f"made[{_key(labels[maker])}][{output}]", part)
            yield from check("the sum of the paths", f"came[{_key(labels[node])}][{slot}]", total)
        case ReduceEvent(node=node, output=output, after=after):
            yield from check("summed by the engine", f"made[{_key(labels[node])}][{output}]", after)
        case HookEvent(sender=sender, output=output, after=after) if sender is not None:
            yield from check("after the node's hook", f"made[{_key(labels[sender])}][{output}]", after)
        case HookEvent(node=node, slot=slot, after=after):
            yield from check("after the hook", f"came[{_key(labels[node])}][{slot}]", after)


def _node(
    event: NodeEvent, reduced: frozenset[int], labels: dict[int, str], step: Explanation
) -> Iterator[str]:
    key, name = _key(labels[event.node]), event.name
    for slot, grad in enumerate(event.grads_in):
        if grad is not None:
            yield from check(f"{name} gets", f"came[{key}][{slot}]", grad)
    shown = {operand.name for operand in step.operands}
    for saved, value in event.saved.items():
        if saved in shown and isinstance(value, Tensor):
            yield from check(f"{name} saved {saved}", f'saved[{key}, "_saved_{saved}"]', value)
    for output, grad in enumerate(event.grads_out or ()):
        if grad is None or event.edges[output] is None:
            continue
        if output in reduced:
            yield f"# Autograd's engine sums output {output} before a hook can record it: see the next event."
        else:
            yield from check(f"{name} gives input {output + 1}", f"made[{key}][{output}]", grad)


def _key(label: str) -> str:
    return json.dumps(label)


def _labels(events: tuple[Event, ...]) -> dict[int, str]:
    """Return the label that the export's `watch` gives each node; both number nodes as the recorder does."""
    nodes = (event for event in events if isinstance(event, NodeEvent))
    return {node.node: f"{node.node} {node.name.removeprefix(CPP)}" for node in nodes}


def _reduced(events: tuple[Event, ...], place: int) -> frozenset[int]:
    """Return the outputs of a node that autograd's engine reduced right after the node ran."""
    node = events[place].node
    made = [
        event.output for event in events[place + 1 :] if isinstance(event, ReduceEvent) and event.node == node
    ]
    hooked = [
        event.output for event in events[place + 1 :] if isinstance(event, HookEvent) and event.sender == node
    ]
    return frozenset([*made, *(output for output in hooked if output is not None)])


def _paths(event: PathsEvent, events: tuple[Event, ...]) -> Iterator[tuple[int, int, Tensor]]:
    """Yield, for each part of a sum, the node that made it, the number of the node's output, and the part."""
    edges = {node.node: node.edges for node in events if isinstance(node, NodeEvent)}
    used: set[tuple[int, int]] = set()
    for maker, part in zip(event.producers, event.parts, strict=True):
        for output, edge in enumerate(edges[maker]):
            if edge == Edge(event.node, event.slot) and (maker, output) not in used:
                used.add((maker, output))
                yield maker, output, part
                break
