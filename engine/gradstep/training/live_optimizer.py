"""A `torch.optim` optimizer on a problem's own tensors, and copies of what it remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from gradstep.loop.optimizers import Optimizer
from gradstep.tensors.bitwise import same_bits
from gradstep.training.snapshots import Memory

if TYPE_CHECKING:
    import torch


class LiveOptimizer:
    """The real optimizer; PyTorch is asked for it when a statement first needs it, for that takes a while."""

    def __init__(self, chosen: Optimizer, leaves: Sequence[Tensor]) -> None:
        """Begin with nothing remembered."""
        self.chosen = chosen
        self._leaves = tuple(leaves)
        self._made: torch.optim.Optimizer | None = None
        self._to_remember: Memory = ()

    def with_rate(self, learning_rate: float) -> torch.optim.Optimizer:
        """Give PyTorch's optimizer, with this learning rate."""
        if self._made is None:
            self._made = self._make()
            self._put(self._to_remember)
        for group in self._made.param_groups:
            group["lr"] = learning_rate
        return self._made

    def recall(self, memory: Memory) -> None:
        """Remember exactly this; copies are made."""
        if self._made is None:
            self._to_remember = memory
        else:
            self._put(memory)

    def memory(self, last: Memory) -> Memory:
        """Give copies of what it remembers, for each parameter; what has the bits of `last` is `last`'s."""
        if self._made is None:
            return last
        found = tuple(_tensors(self._made.state.get(leaf, {})) for leaf in self._leaves)
        if not any(found):
            return last if not any(last) else ()
        known = last or ({},) * len(found)
        shared = tuple(_copied(one, old) for one, old in zip(found, known, strict=True))
        return last if last and all(_same(a, b) for a, b in zip(shared, last, strict=True)) else shared

    def _make(self) -> torch.optim.Optimizer:
        from torch import optim

        # One tensor at a time, as PyTorch does by default on a CPU: the same kernels wherever it steps.
        options = {**self.chosen.options, "foreach": False}
        made: torch.optim.Optimizer = getattr(optim, self.chosen.name)(self._leaves, **options)
        return made

    def _put(self, memory: Memory) -> None:
        assert self._made is not None
        self._made.state.clear()
        for leaf, one in zip(self._leaves, memory, strict=bool(memory)):
            if one:
                self._made.state[leaf] = {name: value.clone() for name, value in one.items()}


def _tensors(state: Mapping[str, object]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _copied(now: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy what has changed."""
    return {
        name: last[name] if name in last and same_bits(value, last[name]) else value.detach().clone()
        for name, value in now.items()
    }


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(one[name] is other[name] for name in one)
