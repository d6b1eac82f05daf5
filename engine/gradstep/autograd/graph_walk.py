"""A walk over a live autograd graph."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.autograd.graph import Node


def nodes_behind(tensor: Tensor) -> Iterator[Node]:
    """Yield every node of the graph that led to `tensor`, once each; none for a leaf."""
    waiting, seen = [tensor.grad_fn], set[Node]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]
