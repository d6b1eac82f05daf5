"""The hooks that note what goes by: they return None and keep none of the engine's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.autograd.gradient_copies import (
    Copier,
    NodeGrads,
    engine_may_have_reduced,
    fresh_copy,
    raw_gradients_of,
)
from gradstep.autograd.leaf_copies import WORTH_COMPARING
from gradstep.autograd.node_calls import Passage
from gradstep.tensors.bitwise import shared_copy
from gradstep.tensors.memory import bytes_of

Rows = list[Sequence[Any]]
"""What each `Visit` is made of: a hook has no time to make one."""


def after_node(
    rows: Rows, copies: Copier, running: list[Passage], number: int, grads_out: NodeGrads, grads_in: NodeGrads
) -> None:
    """Note a run of a node that saved no tensor."""
    came = copies.received(grads_in)
    rows.append((number, running[-1], came, copies.sent(grads_out, grads_in[0], came[0])))


def after_with_saved(
    rows: Rows,
    copies: Copier,
    running: list[Passage],
    number: int,
    node: Node,
    grads_out: NodeGrads,
    grads_in: NodeGrads,
) -> None:
    """Note a run of a node that saved tensors: it cannot be asked later, so it is asked now."""
    came = copies.received(grads_in)
    left = copies.sent(grads_out, grads_in[0], came[0])
    raw = raw_gradients_of(node, came, left) if engine_may_have_reduced(node, came, left) else None
    rows.append((number, running[-1], came, left, raw))


def before_leaf(
    rows: Rows,
    copies: Copier,
    running: list[Passage],
    number: int,
    leaf: Tensor,
    known: Tensor | None,
    grads_in: NodeGrads,
) -> None:
    """Note what comes to a leaf, and what its `.grad` is before it is added."""
    grad = leaf.grad
    if grad is None:
        before = None
    elif known is None or bytes_of(grad) < WORTH_COMPARING:
        before = fresh_copy(grad)
    else:
        before = shared_copy(grad, known)
    rows.append((number, running[-1], copies.received(grads_in), (), None, before))
