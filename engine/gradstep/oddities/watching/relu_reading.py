"""Outputs of relus, read from the graph before its backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.oddities.watching.node_walk import Spot, inputs_of, kind_of, leaf_behind, through_shapes
from gradstep.torch_internals import saved_setting, saved_tensor

_RELUS: Final = frozenset({"Relu", "Threshold", "Clamp", "ClampMin"})


@dataclass(frozen=True, slots=True)
class Relu:
    """Outputs of one relu."""

    spot: Spot | None
    alive: Tensor
    """For each unit, whether any sample gives more than zero."""

    samples: int
    leaf: Tensor | None
    """One of the nearest leaves behind it; None if there is none."""

    is_unit_wise: bool
    """Whether it is known which dimension holds the units; otherwise all are one."""


def relu_of(node: Node, spot: Spot | None) -> Relu | None:
    """Return the outputs of a relu, or of a clamp from below; None if the node is neither."""
    if kind_of(node) not in _RELUS:
        return None
    alive = _alive(node)
    if alive is None or not alive.numel():
        return None
    feeder = through_shapes(next(iter(inputs_of(node)), None))
    shape = alive.shape
    if len(shape) == 2:
        return Relu(spot, alive.any(0), shape[0], _nearest_leaf(feeder), True)
    if len(shape) >= 3 and feeder is not None and kind_of(feeder) == "Convolution":
        dims = [dim for dim in range(len(shape)) if dim != 1]
        return Relu(spot, alive.sum(dims) > 0, shape[0], _nearest_leaf(feeder), True)
    return Relu(spot, alive.any().reshape(1), alive.numel(), _nearest_leaf(feeder), False)


def _alive(node: Node) -> Tensor | None:
    """Return which outputs of a relu are above its limit; None if the node is no relu or has no numbers."""
    kind = kind_of(node)
    if kind == "Relu":
        result = saved_tensor(node, "result")
        return None if result is None else result != 0
    if kind == "Clamp" and saved_setting(node, "max") is not None:
        return None
    limit = saved_setting(node, "threshold", "min")
    before = saved_tensor(node, "self")
    return None if before is None or not isinstance(limit, (int, float)) else before > limit


def _nearest_leaf(node: Node | None) -> Tensor | None:
    """Return a leaf that is among the nearest behind a node."""
    level = [node] if node is not None else []
    for _ in range(4):
        leaves = (leaf for each in level if (leaf := leaf_behind(each)) is not None)
        if (found := next(leaves, None)) is not None:
            return found
        level = [following for each in level for following in inputs_of(each) if following is not None]
        if len(level) > 64:
            return None
    return None
