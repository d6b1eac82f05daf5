"""Hooks that note the gradients that pass a node; they return None and hold none of the engine's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.autograd.gradient_copies import (
    Copier,
    any_nested,
    engine_may_have_reduced,
    fresh_copy,
    raw_gradients_of,
)
from gradstep.autograd.leaf_copies import WORTH_COMPARING
from gradstep.autograd.node_calls import EnginePass, NodeGrads
from gradstep.tensors.bitwise import shared_copy
from gradstep.tensors.memory import bytes_of

Rows: TypeAlias = list[Sequence[Any]]
"""Arguments of one `NodeCall` per row: to make the object itself would slow the pass down."""


def after_node(
    rows: Rows,
    copies: Copier,
    running: list[EnginePass],
    number: int,
    grads_out: NodeGrads,
    grads_in: NodeGrads,
) -> None:
    """Note a call of a node that saved no tensor; `running[-1]` is the pass that called it."""
    received = copies.received(grads_in)
    sent = copies.sent(grads_out, grads_in[0], received[0])
    if copies.met_nested and any_nested(grads_in, grads_out):  # the node cannot be asked with copies
        rows.append((number, running[-1], received, sent, sent))
    else:
        rows.append((number, running[-1], received, sent))


def after_with_saved(
    rows: Rows,
    copies: Copier,
    running: list[EnginePass],
    number: int,
    node: Node,
    grads_out: NodeGrads,
    grads_in: NodeGrads,
) -> None:
    """Note a call of a node that saved tensors, with its gradients before the engine reduced them.

    The node lets go of its tensors after the pass, so it is asked for these gradients now.
    """
    received = copies.received(grads_in)
    sent = copies.sent(grads_out, grads_in[0], received[0])
    asks = engine_may_have_reduced(node, received, sent)
    if asks and copies.met_nested:
        asks = not any_nested(grads_in, grads_out)
    raw = raw_gradients_of(node, received, sent) if asks else None
    rows.append((number, running[-1], received, sent, raw))


def before_leaf(
    rows: Rows,
    copies: Copier,
    running: list[EnginePass],
    number: int,
    leaf: Tensor,
    known: Tensor | None,
    grads_in: NodeGrads,
) -> None:
    """Note the gradient that a leaf receives, and the leaf's `.grad` before the engine adds to it.

    `known` is an existing copy of that `.grad`; None if there is none.
    """
    grad = leaf.grad
    if grad is None:
        before = None
    elif known is None or grad.is_nested or bytes_of(grad) < WORTH_COMPARING:
        before = fresh_copy(grad)
    else:
        before = shared_copy(grad, known)
    rows.append((number, running[-1], copies.received(grads_in), (), None, before))
