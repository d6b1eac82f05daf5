"""Tensors that training changes: copied into snapshots, and written back from them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from gradstep.autograd.leaf_copies import LeafCopies, LeafCopy
from gradstep.problem import Problem
from gradstep.tensors.bitwise import is_copy, same_bits, shared_copy
from gradstep.training.snapshots import Grads, Snapshot


class LiveTensors:
    """Parameters, gradients and buffers of a problem.

    A tensor that did not change is not copied again, so that equal tensors of two snapshots are one object.
    """

    def __init__(self, problem: Problem) -> None:
        """Take over the problem's tensors as they are."""
        self.leaves = tuple(problem.parameters.values())
        self._buffers = tuple(problem.buffers.values())

    def parameters(self, kept: Snapshot) -> tuple[Tensor, ...]:
        """Return copies of the parameters, shared with `kept` if they have the same bits."""
        return tuple(map(shared_copy, self.leaves, kept.parameters))

    def grads(self, kept: Snapshot, delivered: Mapping[int, Tensor | None] = MappingProxyType({})) -> Grads:
        """Return copies of each `.grad`, shared with `kept` or `delivered` (by `id` of the leaf) if equal."""
        return tuple(
            None if leaf.grad is None else shared_copy(leaf.grad, old, delivered.get(id(leaf)))
            for leaf, old in zip(self.leaves, kept.grads, strict=True)
        )

    def copied_buffers(self) -> tuple[Tensor, ...]:
        """Return copies of the buffers."""
        return tuple(buffer.detach().clone() for buffer in self._buffers)

    def known(self, kept: Snapshot) -> LeafCopies:
        """Return the copies in `kept`, by `id` of the parameter."""
        copies = zip(self.leaves, kept.parameters, kept.grads, strict=True)
        return {id(leaf): LeafCopy(leaf, value, grad) for leaf, value, grad in copies}

    def write(self, parameters: tuple[Tensor, ...], written: frozenset[int] = frozenset()) -> None:
        """Write parameters that differ, and those with an index in `written`: PyTorch counts writes."""
        with torch.no_grad():
            for index, (leaf, value) in enumerate(zip(self.leaves, parameters, strict=True)):
                if index in written or not same_bits(leaf.detach(), value):
                    leaf.copy_(value)

    def write_grads(self, grads: Grads) -> None:
        """Set each `.grad` that differs to a copy of the given tensor, or to None."""
        for leaf, grad in zip(self.leaves, grads, strict=True):
            if grad is None or leaf.grad is None or not is_copy(leaf.grad, grad):
                leaf.grad = None if grad is None else grad.clone()

    def write_buffers(self, values: tuple[Tensor, ...]) -> None:
        """Write buffers that differ; a write to a buffer that a graph has saved would break the graph."""
        with torch.no_grad():
            for buffer, value in zip(self._buffers, values, strict=True):
                if not same_bits(buffer.detach(), value):
                    buffer.copy_(value)
