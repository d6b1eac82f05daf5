"""The tensors that training changes: copied into snapshots, and written back from them."""

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
    """A problem's parameters, their `.grad`, and its buffers.

    A copy of what did not change is the one that there is: that it is the same is then known by looking at
    which tensor it is.
    """

    def __init__(self, problem: Problem) -> None:
        """Take over the problem's tensors as they are."""
        self.leaves = tuple(problem.parameters.values())
        self._buffers = tuple(problem.buffers.values())

    def parameters(self, kept: Snapshot) -> tuple[Tensor, ...]:
        """Copy the parameters."""
        return tuple(map(shared_copy, self.leaves, kept.parameters))

    def grads(self, kept: Snapshot, delivered: Mapping[int, Tensor | None] = MappingProxyType({})) -> Grads:
        """Copy each `.grad`; `delivered` has copies that may be the same, by `id` of the leaf."""
        return tuple(
            None if leaf.grad is None else shared_copy(leaf.grad, old, delivered.get(id(leaf)))
            for leaf, old in zip(self.leaves, kept.grads, strict=True)
        )

    def copied_buffers(self) -> tuple[Tensor, ...]:
        """Copy the buffers."""
        return tuple(one.detach().clone() for one in self._buffers)

    def known(self, kept: Snapshot) -> LeafCopies:
        """Give the copies that there are already."""
        copies = zip(self.leaves, kept.parameters, kept.grads, strict=True)
        return {id(leaf): LeafCopy(leaf, value, grad) for leaf, value, grad in copies}

    def write(self, parameters: tuple[Tensor, ...], written: frozenset[int] = frozenset()) -> None:
        """Write values where they differ, and at the places `written`, since PyTorch counts writes."""
        with torch.no_grad():
            for place, (leaf, value) in enumerate(zip(self.leaves, parameters, strict=True)):
                if place in written or not same_bits(leaf.detach(), value):
                    leaf.copy_(value)

    def write_grads(self, grads: Grads) -> None:
        """Give each leaf a `.grad` of its own, where it has another one."""
        for leaf, grad in zip(self.leaves, grads, strict=True):
            if grad is None or leaf.grad is None or not is_copy(leaf.grad, grad):
                leaf.grad = None if grad is None else grad.clone()

    def write_buffers(self, values: tuple[Tensor, ...]) -> None:
        """Write buffers where they differ: a graph may have saved one, and must not find it written to."""
        with torch.no_grad():
            for buffer, value in zip(self._buffers, values, strict=True):
                if not same_bits(buffer.detach(), value):
                    buffer.copy_(value)
