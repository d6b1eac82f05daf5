"""Steps from one node of autograd's graph to the next, and kinds of nodes."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.torch_internals import AccumulateGrad, leaf_of

Spot: TypeAlias = tuple[str, int]
"""File and line, counted from 1."""

SHAPE: Final = frozenset(
    [
        "View",
        "ReshapeAlias",
        "UnsafeView",
        "Squeeze",
        "Unsqueeze",
        "Permute",
        "Transpose",
        "T",
        "Slice",
        "Select",
        "Clone",
        "ToCopy",
        "Expand",
        "Index",
        "Flatten",
        "Contiguous",
        "Alias",
    ]
)
"""Kinds of nodes that only move numbers about."""


def kind_of(node: Node) -> str:
    """Return the kind of a node without what autograd adds to it: `Relu` for `ReluBackward0`."""
    return re.sub(r"Backward\d*$", "", node.name())


def inputs_of(node: Node) -> list[Node | None]:
    """Return the nodes that made the inputs of a node's operation."""
    return [following for following, _ in node.next_functions]


def leaf_behind(node: Node) -> Tensor | None:
    """Return the leaf whose `.grad` a node adds to; None if it is no such node."""
    return leaf_of(node) if isinstance(node, AccumulateGrad) else None


def through_shapes(node: Node | None) -> Node | None:
    """Return the nearest node behind one, itself included, that does more than move numbers about."""
    while node is not None and kind_of(node) in SHAPE:
        node = next(iter(inputs_of(node)), None)
    return node
