"""The layers of a drawn graph: every line goes from one layer to the next.

A node lies one layer below the lowest of the nodes that send gradients to it. All lines to the same input of
a node form one *net*: autograd's engine adds the gradients that arrive there, so the lines join on the way
and pass the layers between as a single wire.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Net: TypeAlias = tuple[int, int]
"""An input of a node: the node's index, and the number of the input."""

SWEEPS: Final = 4
"""Number of times that the order inside the layers is improved, first downwards and then upwards."""


@dataclass(slots=True, eq=False)
class Item:
    """A node in a layer, or a wire that passes through the layer."""

    node: int | None
    """Index of the node; None for a wire."""

    outs: list[Net]
    """Nets of the lines that leave the item, from left to right; several lines may belong to the same net."""

    ins: list[Net]
    """Nets that enter the item, from left to right; a wire has exactly one, which also leaves it."""

    above: list[Item] = field(default_factory=list)
    """Items that send to this item, once for each line."""

    below: list[Item] = field(default_factory=list)
    """Items that this item sends to, in the order of `outs`."""

    depth: int = 1
    """Number of nodes on the longest path down from the item, including the item if it is a node."""


def layered(edges: Sequence[Sequence[Net]]) -> list[list[Item]]:
    """Return nodes, and the wires between them, in layers and in an order with few crossings.

    Args:
        edges: For each node, the inputs that its gradients go to; without cycles.
    """
    rows = _rows(edges)
    for upper, lower in itertools.pairwise(rows):
        ends = {net: item for item in lower for net in item.ins}
        for item in upper:
            item.below = [ends[net] for net in item.outs]
            for end in item.below:
                end.above.append(item)
    for row in rows[::-1]:
        for item in row:
            item.depth = (item.node is not None) + max((below.depth for below in item.below), default=0)
    _order(rows)
    for row in rows[1:]:
        place = {id(item): number for number, item in enumerate(row)}
        for item in {id(sender): sender for below in row for sender in below.above}.values():
            pairs = sorted(zip(item.outs, item.below, strict=True), key=lambda pair: place[id(pair[1])])
            item.outs, item.below = [net for net, _ in pairs], [below for _, below in pairs]
    return rows


def _rows(edges: Sequence[Sequence[Net]]) -> list[list[Item]]:
    depths = _depths(edges)
    senders: dict[Net, int] = {}
    """Highest layer that sends to a net, by net."""
    for node, nets in enumerate(edges):
        for net in nets:
            senders[net] = min(senders.get(net, depths[node]), depths[node])
    rows: list[list[Item]] = [[] for _ in range(max(depths, default=-1) + 1)]
    items = [Item(node, list(nets), []) for node, nets in enumerate(edges)]
    for item, depth in zip(items, depths, strict=True):
        rows[depth].append(item)
    for net in sorted(senders):
        items[net[0]].ins.append(net)
        for depth in range(senders[net] + 1, depths[net[0]]):
            rows[depth].append(Item(None, [net], [net]))
    return rows


def _depths(edges: Sequence[Sequence[Net]]) -> list[int]:
    """Return each node's layer: the length of the longest path to the node."""
    waits = [0] * len(edges)
    for nets in edges:
        for node, _ in nets:
            waits[node] += 1
    depths = [0] * len(edges)
    ready = [node for node, count in enumerate(waits) if not count]
    for node in ready:  # grows during the loop
        for end, _ in edges[node]:
            depths[end] = max(depths[end], depths[node] + 1)
            waits[end] -= 1
            if not waits[end]:
                ready.append(end)
    return depths


def _order(rows: list[list[Item]]) -> None:
    """Move each item towards the middle of the items that it is joined to, if that removes crossings."""
    best, fewest = [[*row] for row in rows], _crossings(rows)
    for _ in range(SWEEPS):
        if not fewest:
            break
        for upper, lower in itertools.pairwise(rows):
            _sort(lower, upper, up=True)
        for upper, lower in [*itertools.pairwise(rows)][::-1]:
            _sort(upper, lower, up=False)
        found = _crossings(rows)
        if found < fewest:
            best, fewest = [[*row] for row in rows], found
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _sort(row: list[Item], other: list[Item], *, up: bool) -> None:
    places = {id(item): number for number, item in enumerate(other)}
    wanted = {}
    for number, item in enumerate(row):
        joined = [places[id(neighbour)] for neighbour in (item.above if up else item.below)]
        wanted[id(item)] = sum(joined) / len(joined) if joined else number
    row.sort(key=lambda item: wanted[id(item)])


def _crossings(rows: list[list[Item]]) -> int:
    return sum(_inversions(list(_ends(*pair))) for pair in itertools.pairwise(rows))


def _ends(upper: list[Item], lower: list[Item]) -> Iterator[int]:
    """Yield the position in the lower layer at which each line ends, for the lines from left to right."""
    places = {id(item): number for number, item in enumerate(lower)}
    for item in upper:
        yield from sorted(places[id(below)] for below in item.below)


def _inversions(numbers: list[int]) -> int:
    """Return the number of pairs in the wrong order, by merge sort; `numbers` is sorted afterwards."""
    if len(numbers) < 2:
        return 0
    half = len(numbers) // 2
    left, right = numbers[:half], numbers[half:]
    count = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    at = 0
    for number in right:
        while at < len(left) and left[at] <= number:
            at += 1
        count += len(left) - at
    return count
