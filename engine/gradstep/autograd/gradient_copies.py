"""Copies of the gradients of a pass, and the gradients as nodes made them, before the engine reduced them."""

from __future__ import annotations

from typing import Any
from weakref import ref

import torch
from torch import Tensor, is_grad_enabled
from torch.autograd.graph import Node

from gradstep.autograd.node_calls import NodeGrads
from gradstep.autograd.node_kinds import ADDS_FIRST_INPUT, NEVER_BROADCASTS, UNPREDICTABLE_SIZES
from gradstep.autograd.saved_tensors import unpacked_by_hooks
from gradstep.tensors.placeholders import Budget, is_placeholder, placeholder_for, plain_numbers
from gradstep.torch_internals import gradients_again, hands_on_first_gradient, version_of


class Copier:
    """Copies gradients, each only once, so that later changes of a gradient do not show in the recording."""

    def __init__(self, budget: Budget) -> None:
        """Start with no gradient copied; whatever exceeds `budget` is summarized."""
        self._budget = budget
        self._sent: dict[int, tuple[ref[Tensor], int, Tensor]] = {}
        """By `id` of a gradient that left a node: the gradient, its version counter, and its copy."""
        self.met_nested = False
        """Whether a nested tensor has been copied."""

    def received(self, grads: NodeGrads) -> NodeGrads:
        """Return a copy of each gradient that enters a node.

        For a gradient that has not changed since it left another node, that is the copy made then.
        """
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
        self, grads: NodeGrads, received: Tensor | None = None, received_copy: Tensor | None = None
    ) -> NodeGrads:
        """Return copies of gradients that leave a node.

        Args:
            grads: The gradients.
            received: The first gradient that entered the node, which may leave it again, also as a view.
            received_copy: Copy of `received`, to be shared with whatever is the same memory.
        """
        # Most gradients have memory of their own, so their addresses are compared first.
        address = 0 if received is None or received_copy is None else _address_of(received)
        copies: list[Tensor | None] = []
        for grad in grads:
            if grad is None:
                copies.append(None)
                continue
            if grad is received and received_copy is not None:
                copy = received_copy
            elif address and _address_of(grad) == address:
                assert received_copy is not None  # because there is an address
                assert received is not None
                view = _same_view(received_copy, received, grad)
                copy = self._copied(grad) if view is None else view
            else:
                copy = self._copied(grad)
            copies.append(copy)
            try:
                self._sent[id(grad)] = ref(grad), version_of(grad), copy
            except RuntimeError:  # a tensor of inference mode has no version to know it by
                self._sent.pop(id(grad), None)
        return tuple(copies)

    def _copied(self, grad: Tensor) -> Tensor:
        if grad.is_nested:
            self.met_nested = True
            grad = plain_numbers(grad)
        if not self._budget.has(grad):
            return placeholder_for(grad)
        return grad.detach().clone() if is_grad_enabled() else grad.clone()


def _address_of(tensor: Tensor) -> int:
    """Return the address of a tensor's first number, or 0 if it has no memory of its own (a sparse one)."""
    if tensor.is_nested:
        return 0
    try:
        return tensor.data_ptr()
    except RuntimeError:
        return 0


def _same_view(copy: Tensor, original: Tensor, view: Tensor) -> Tensor | None:
    """Return the view of `copy` that corresponds to `view` of `original`, a transpose for example.

    None if there is no such view. `view` and `original` begin at the same address.
    """
    if view.dtype is not original.dtype or view.dtype.is_complex or copy.is_meta:
        return None
    if view.is_neg() or original.is_neg() or copy.stride() != original.stride():
        return None
    try:
        return copy.as_strided(view.shape, view.stride())
    except RuntimeError:  # the view reaches more memory than was copied
        return None


def fresh_copy(tensor: Tensor) -> Tensor:
    """Return a copy without a graph; grad mode is on in a pass with `create_graph`."""
    tensor = plain_numbers(tensor)
    return tensor.detach().clone() if is_grad_enabled() else tensor.clone()


def raw_gradients_of(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> NodeGrads | None:
    """Return a node's gradients before the engine reduced them to the shapes and dtypes of the inputs.

    The node makes them once more, outside the engine.

    Args:
        node: A node whose saved tensors are still there.
        grads_in: Copies of dL/d(output), one per output.
        grads_out: Copies of dL/d(input), as the engine handed them on.

    Returns:
        dL/d(input), one per input; None if it would disturb the pass to ask the node: saved tensors with
        unpack hooks may be unpacked only once.
    """
    handed_on = _handed_on(node, grads_in, grads_out)
    if handed_on is not None:
        return handed_on
    if unpacked_by_hooks(node) or any(map(is_placeholder, grads_in)):
        return None
    with torch.no_grad():
        try:
            return gradients_again(node, grads_in)
        except RuntimeError:  # the node has let go of a saved tensor, for example
            return None


def _handed_on(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> NodeGrads | None:
    """Return the gradients of a matrix node without a second multiplication; None if that is not possible."""
    if type(node).__name__ not in ADDS_FIRST_INPUT or not hands_on_first_gradient(node):
        return None
    received, sent = grads_in[0], grads_out[0]
    if received is None or sent is None or received.dtype != sent.dtype:
        return None
    return (received, *grads_out[1:]) if _broadcasts(sent.shape, received.shape) else None


def engine_may_have_reduced(node: Node, grads_in: NodeGrads, grads_out: NodeGrads) -> bool:
    """Return whether the engine may have changed the shape or dtype of a gradient that a node made.

    It may have if a gradient left with another dtype than one came in, or with a shape that broadcasts to
    the shape of what came in.
    """
    kind = type(node).__name__
    if kind in UNPREDICTABLE_SIZES:
        return True
    received = grads_in[0]
    if received is None or len(grads_in) != 1:
        return False
    numel, dims, dtype = received.numel(), received.dim(), received.dtype
    for sent in grads_out:
        if sent is not None:
            if sent.dtype is not dtype:
                return True
            fewer = sent.numel()
            if kind in NEVER_BROADCASTS:
                continue
            sizes_fit = 0 < fewer <= numel and not numel % fewer and (fewer < numel or sent.dim() < dims)
            if (
                (sizes_fit or not numel)
                and sent.shape != received.shape
                and _broadcasts(sent.shape, received.shape)
            ):
                return True
    return False


def any_nested(*gradients: NodeGrads) -> bool:
    """Return whether any gradient is a nested tensor."""
    return any(grad is not None and grad.is_nested for grads in gradients for grad in grads)


def reduced_by_engine(made: Any, grads_out: NodeGrads) -> NodeGrads | None:
    """Return the gradients of a custom `backward`, with those that the engine then reduced as they were made.

    Args:
        made: Return value of `backward`, which also has a None for each input that is no tensor.
        grads_out: Copies of the gradients as the engine handed them on.

    Returns:
        `grads_out` with copies of the reduced gradients; None if the engine reduced none.
    """
    returned = [grad for grad in (made if isinstance(made, tuple) else (made,)) if grad is not None]
    places = [place for place, sent in enumerate(grads_out) if sent is not None]
    raw = list(grads_out)
    if len(returned) == len(places):
        for place, grad in zip(places, returned, strict=True):
            sent = grads_out[place]
            if sent is not None and was_reduced(grad, sent):
                raw[place] = fresh_copy(grad)
    unchanged = all(grad is sent for grad, sent in zip(raw, grads_out, strict=True))
    return None if unchanged else tuple(raw)


def was_reduced(before: Tensor, after: Tensor) -> bool:
    """Return whether the engine changed a gradient's shape or dtype; it never does with a nested tensor."""
    if before.is_nested or after.is_nested:
        return False
    return before.shape != after.shape or before.dtype != after.dtype


def _broadcasts(small: torch.Size, large: torch.Size) -> bool:
    """Return whether a tensor of shape `small` broadcasts to shape `large`."""
    if len(small) > len(large):
        return False
    return all(few in (1, many) for few, many in zip(reversed(small), reversed(large), strict=False))
