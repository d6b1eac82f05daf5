"""Gradients as they go by in a pass: copied, and as they were before the engine fitted them to the inputs."""

from __future__ import annotations

from typing import Any
from weakref import ref

import torch
from torch import Tensor, is_grad_enabled
from torch.autograd.graph import Node

from gradstep.autograd.node_kinds import ADDS_FIRST_INPUT, NEVER_BROADCASTS, UNPREDICTABLE_SIZES
from gradstep.autograd.saved_tensors import unpacked_by_hooks
from gradstep.tensors.placeholders import Budget, is_stand_in, stand_in
from gradstep.torch_internals import gradients_again, hands_on_first_gradient, version_of

NodeGrads = tuple[Tensor | None, ...]


class Copier:
    """Copies gradients, so that nothing that happens to them later shows; each but once."""

    def __init__(self, budget: Budget) -> None:
        """Start with nothing sent; `budget` says how much may be copied."""
        self._budget = budget
        self._sent: dict[int, tuple[ref[Tensor], int, Tensor]] = {}

    def received(self, grads: NodeGrads) -> NodeGrads:
        """Copy what comes into a node; what comes as it was sent has been copied then."""
        sent = self._sent
        copies: list[Tensor | None] = []
        for grad in grads:
            if grad is None:
                copies.append(None)
                continue
            known = sent.get(id(grad))
            if known is not None and known[0]() is grad and known[1] == version_of(grad):
                copies.append(known[2])
            else:
                copies.append(self._copied(grad))
        return tuple(copies)

    def sent(
        self, grads: NodeGrads, passing: Tensor | None = None, passed: Tensor | None = None
    ) -> NodeGrads:
        """Copy what goes out of a node; of `passing`, which may go through, there is the copy `passed`."""
        # Most gradients are in memory of their own, so where they are is asked before all else.
        place = 0 if passing is None or passed is None else _place(passing)
        copies: list[Tensor | None] = []
        for grad in grads:
            if grad is None:
                copies.append(None)
                continue
            if grad is passing and passed is not None:
                copy = passed
            elif place and _place(grad) == place:
                assert passed is not None  # there is a place, so they are
                assert passing is not None
                seen = _seen_through(passed, passing, grad)
                copy = self._copied(grad) if seen is None else seen
            else:
                copy = self._copied(grad)
            copies.append(copy)
            try:
                self._sent[id(grad)] = ref(grad), version_of(grad), copy
            except RuntimeError:  # an inference tensor has no version to know it by
                self._sent.pop(id(grad), None)
        return tuple(copies)

    def _copied(self, grad: Tensor) -> Tensor:
        return fresh_copy(grad) if self._budget.has(grad) else stand_in(grad)


def _place(tensor: Tensor) -> int:
    """Give where a tensor's numbers begin; 0 where it has no memory of its own, a sparse one say."""
    try:
        return tensor.data_ptr()
    except RuntimeError:
        return 0


def _seen_through(copy: Tensor, original: Tensor, view: Tensor) -> Tensor | None:
    """Give the view of `copy` that `view`, of the same place, is of `original`, a transpose say; or None."""
    if view.dtype is not original.dtype or view.dtype.is_complex or copy.is_meta:
        return None
    if view.is_neg() or original.is_neg() or copy.stride() != original.stride():
        return None
    try:
        return copy.as_strided(view.shape, view.stride())
    except RuntimeError:  # it reaches more of the memory than was copied
        return None


def fresh_copy(tensor: Tensor) -> Tensor:
    """Copy a tensor; grad mode is on in a pass with `create_graph`."""
    return tensor.detach().clone() if is_grad_enabled() else tensor.clone()


def raw_gradients_of(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> NodeGrads | None:
    """Ask a node itself, outside the engine, for its gradients before the engine fitted them to the inputs.

    None where asking could disturb the pass: saved tensors with unpack hooks may be unpacked once only.
    """
    handed_on = _handed_on(node, grads_in, grads_out)
    if handed_on is not None:
        return handed_on
    if unpacked_by_hooks(node) or any(map(is_stand_in, grads_in)):
        return None
    with torch.no_grad():
        try:
            return gradients_again(node, grads_in)
        except RuntimeError:  # e.g. a saved tensor that the node let go of
            return None


def _handed_on(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> NodeGrads | None:
    """Give the gradients of a node that need no asking: it would multiply its matrices once more."""
    if type(node).__name__ not in ADDS_FIRST_INPUT or not hands_on_first_gradient(node):
        return None
    came, left = grads_in[0], grads_out[0]
    if came is None or left is None or came.dtype != left.dtype or not _broadcasts(left.shape, came.shape):
        return None
    return (came, *grads_out[1:])


def engine_may_have_reduced(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> bool:
    """Whether one left with another dtype than it came with, or in a shape that broadcasts to what came."""
    kind = type(node).__name__
    if kind in UNPREDICTABLE_SIZES:
        return True
    came = grads_in[0]
    if came is None or len(grads_in) != 1:
        return False
    numel, dims, dtype = came.numel(), came.dim(), came.dtype
    for left in grads_out:
        if left is not None:
            if left.dtype is not dtype:
                return True
            fewer = left.numel()
            if kind in NEVER_BROADCASTS:
                continue
            sizes_fit = 0 < fewer <= numel and not numel % fewer and (fewer < numel or left.dim() < dims)
            if (sizes_fit or not numel) and left.shape != came.shape and _broadcasts(left.shape, came.shape):
                return True
    return False


def kept_raw(made: Any, grads_out: NodeGrads) -> NodeGrads | None:
    """Keep those of the gradients that a learner's own `backward` made which the engine then reduced.

    Args:
        made: What it returned: also a None for each input that is no tensor.
        grads_out: What the engine made of it.

    Returns:
        `grads_out` with those in it; None where there are none.
    """
    given = [one for one in (made if isinstance(made, tuple) else (made,)) if one is not None]
    places = [place for place, left in enumerate(grads_out) if left is not None]
    raw = list(grads_out)
    if len(given) == len(places):
        for place, one in zip(places, given, strict=True):
            left = grads_out[place]
            if left is not None and was_reduced(one, left):
                raw[place] = fresh_copy(one)
    return None if all(one is left for one, left in zip(raw, grads_out, strict=True)) else tuple(raw)


def was_reduced(before: Tensor, after: Tensor) -> bool:
    """Whether the engine changed a gradient's shape or dtype."""
    return before.shape != after.shape or before.dtype != after.dtype


def _broadcasts(small: torch.Size, large: torch.Size) -> bool:
    if len(small) > len(large):
        return False
    return all(few in (1, many) for few, many in zip(reversed(small), reversed(large), strict=False))
