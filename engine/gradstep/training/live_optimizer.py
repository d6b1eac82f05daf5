"""A `torch.optim` optimizer on a problem's own tensors, and copies of its state."""

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
    """A PyTorch optimizer that is made when a statement first needs it, because the first takes seconds."""

    def __init__(self, chosen: Optimizer, leaves: Sequence[Tensor]) -> None:
        """Take the parameters to update; the state is that of a new optimizer."""
        self.chosen = chosen
        self._leaves = tuple(leaves)
        self._made: torch.optim.Optimizer | None = None
        self._recalled: Memory = ()

    def with_rate(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return PyTorch's optimizer, with this learning rate."""
        if self._made is None:
            self._made = self._make()
            self._put(self._recalled)
        for group in self._made.param_groups:
            group["lr"] = learning_rate
        return self._made

    def recall(self, memory: Memory) -> None:
        """Replace the optimizer's state by copies of these tensors."""
        if self._made is None:
            self._recalled = memory
        else:
            self._put(memory)

    def memory(self, last: Memory) -> Memory:
        """Return a copy of the optimizer's state, a dict per parameter; empty without state.

        Args:
            last: An earlier result: its tensors are used again if the bits are the same, to save memory.
        """
        if self._made is None:
            return last
        found = tuple(_tensors(self._made.state.get(leaf, {})) for leaf in self._leaves)
        if not any(found):
            return last if not any(last) else ()
        known = last or ({},) * len(found)
        shared = tuple(_copied(now, old) for now, old in zip(found, known, strict=True))
        return last if last and all(_same(a, b) for a, b in zip(shared, last, strict=True)) else shared

    def _make(self) -> torch.optim.Optimizer:
        from torch import optim

        # PyTorch's default on a CPU, made explicit: the same kernels, and so the same bits, everywhere.
        options = {**self.chosen.options, "foreach": False}
        made: torch.optim.Optimizer = getattr(optim, self.chosen.name)(self._leaves, **options)
        return made

    def _put(self, memory: Memory) -> None:
        assert self._made is not None
        self._made.state.clear()
        for leaf, state in zip(self._leaves, memory, strict=bool(memory)):
            if state:
                self._made.state[leaf] = {name: value.clone() for name, value in state.items()}


def _tensors(state: Mapping[str, object]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _copied(now: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of `last` that have the same bits, and copies of the others."""
    return {
        name: last[name] if name in last and same_bits(value, last[name]) else value.detach().clone()
        for name, value in now.items()
    }


def _same(now: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> bool:
    return now.keys() == last.keys() and all(now[name] is last[name] for name in now)
