"""Tensors that a script trains, as they are now, and copies of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gradstep.autograd.leaf_copies import LeafCopies, LeafCopy
from gradstep.capture.effects import NamedObjects
from gradstep.script_training.script_names_found import found_in, live_memory, present, rate_in, set_rate_in
from gradstep.script_training.script_snapshot import ScriptSnapshot
from gradstep.tensors.bitwise import same_bits, shared_copy


class ScriptTensors:
    """Tensors for which the parameters' names stand now, and the learning rate."""

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        """Start from the parameters, by name."""
        self.live: dict[str, Tensor] = dict(parameters)
        self.rate = float("nan")

    def look(self, names: Mapping[str, Any]) -> NamedObjects:
        """Take what the names of the loop stand for now, and return what they lead to."""
        found = found_in(names)
        self.live = present(names, found, self.live)
        self.rate = rate_in(names, found.optimizers)
        return found

    def copied(self, names: Mapping[str, Any], old: ScriptSnapshot) -> ScriptSnapshot:
        """Return a snapshot with copies of the tensors as they are now; what did not change is shared."""
        optimizers = self.look(names).optimizers
        live = self.live.values()
        return replace(
            old,
            parameters=tuple(map(shared_copy, live, old.parameters)),
            grads=tuple(
                None if (grad := _grad_of(leaf)) is None else shared_copy(grad, kept)
                for leaf, kept in zip(live, old.grads, strict=True)
            ),
            memory=tuple(
                {
                    name: shared_copy(tensor, kept.get(name))
                    for name, tensor in live_memory(optimizers, leaf).items()
                }
                for leaf, kept in zip(live, old.memory or ({},) * len(live), strict=True)
            ),
        )

    def copies(self, names: Mapping[str, Any], kept: ScriptSnapshot) -> dict[int, Tensor]:
        """Return the copies that a snapshot of the present state has, by `id` of the tensor."""
        optimizers = found_in(names).optimizers
        copies = dict[int, Tensor]()
        for leaf, value, grad, memory in zip(
            self.live.values(), kept.parameters, kept.grads, kept.memory, strict=True
        ):
            copies[id(leaf)] = value
            if grad is not None:
                copies[id(leaf.grad)] = grad
            for name, tensor in live_memory(optimizers, leaf).items():
                copies[id(tensor)] = memory[name]
        return copies

    def known(self, kept: ScriptSnapshot) -> LeafCopies:
        """Return the copies of parameters and gradients that a snapshot has, by `id` of the parameter."""
        copies = zip(self.live.values(), kept.parameters, kept.grads, strict=True)
        return {id(leaf): LeafCopy(leaf, value, grad) for leaf, value, grad in copies if leaf.is_leaf}

    def have(self, values: Iterable[Tensor]) -> bool:
        """Return whether the parameters have these values, bit for bit."""
        return all(map(same_bits, (tensor.detach() for tensor in self.live.values()), values))

    def set_rate(self, names: Mapping[str, Any], rate: float) -> None:
        """Set the learning rate of all parameter groups of the loop's optimizers."""
        set_rate_in(names, rate)
        self.rate = rate

    def drop_grads(self, names: Mapping[str, Any]) -> None:
        """Set every `.grad` to None."""
        for tensor in present(names, found_in(names), self.live).values():
            if tensor.is_leaf:
                tensor.grad = None


def _grad_of(tensor: Tensor) -> Tensor | None:
    """Return a tensor's `.grad`; None for a tensor that is no leaf, whose `.grad` PyTorch does not fill."""
    return tensor.grad if tensor.is_leaf and tensor.layout == torch.strided else None
