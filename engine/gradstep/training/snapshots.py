"""Copies of what the trainer holds, which nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from gradstep.loop.optimizers import HAND, Optimizer

Grads = tuple[Tensor | None, ...]

Memory = tuple[Mapping[str, Tensor], ...]
"""What an optimizer remembers of each parameter, by PyTorch's names; empty where it remembers nothing."""


class Graph(Enum):
    """What is left of the last forward pass's graph."""

    LIVE = "live"
    """A backward pass can go through it."""

    USED = "used"
    """A backward pass has freed what it saved."""

    BROKEN = "broken"
    """A backward pass broke off in it: PyTorch raised."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A part of the samples, and the lines that run forward through it."""

    lines: tuple[str, ...]
    indices: Tensor
    """Their places, counted from 0; shape `(size,)`."""

    index: str = "i"
    """What the lines call them."""


@dataclass(frozen=True, slots=True, eq=False)
class ForwardPass:
    """One forward pass: what it started from, and what came out."""

    parameters: tuple[Tensor, ...]
    """The parameters' values that it used."""

    rng: Tensor
    """The random number generator's state before it."""

    preds: Tensor
    loss: Tensor
    buffers: tuple[Tensor, ...] = ()
    """The buffers' values before it."""

    batch: Batch | None = None
    """The samples that it had; None for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that the trainer holds, as copies that nothing changes: enough to go back to, bit for bit."""

    parameters: tuple[Tensor, ...]
    grads: Grads
    rng: Tensor
    forward: ForwardPass | None = None
    graph: Graph | None = None
    written: frozenset[int] = frozenset()
    """Which parameters were written to since the forward pass, by position; also where every bit stayed
    the same, for PyTorch counts writes."""

    buffers: tuple[Tensor, ...] = ()
    """What a forward pass changes beside its results, such as a BatchNorm's running mean."""

    optimizer: Optimizer = HAND
    memory: Memory = ()
    """What that optimizer remembers: momentum buffers, averages, steps."""

    def numbers(self) -> Iterator[Tensor]:
        """Give the tensors that it keeps for each parameter."""
        yield from self.parameters
        yield from (grad for grad in self.grads if grad is not None)
        yield from (one for part in self.memory for one in part.values())

    def without_graph(self) -> Snapshot:
        """Give the same before any forward pass, with no gradients."""
        grads = (None,) * len(self.grads)
        return replace(self, grads=grads, forward=None, graph=None, written=frozenset())

    def with_optimizer(self, optimizer: Optimizer) -> Snapshot:
        """Give the same with an optimizer that has not updated anything yet."""
        return replace(self, optimizer=optimizer, memory=initial_memory(optimizer, self.parameters))


def initial_memory(optimizer: Optimizer, parameters: Sequence[Tensor]) -> Memory:
    """Return the state that a new `torch.optim` optimizer has before its first step.

    It is computed rather than taken from PyTorch, whose first optimizer takes seconds to make.
    """
    states = () if optimizer.by_hand else optimizer.row.state
    starts = [(state, state.start) for state in states if state.start is not None]
    if not starts:
        return ()
    values = {state.name: _start_value(optimizer, start) for state, start in starts}
    # As `torch.optim.optimizer._get_scalar_dtype` chooses it.
    double = torch.get_default_dtype() == torch.float64
    scalar = torch.float64 if double else torch.float32
    return tuple(
        {
            state.name: torch.tensor(values[state.name], dtype=scalar)
            if state.scalar
            else _filled(parameter, values[state.name])
            for state, _ in starts
        }
        for parameter in parameters
    )


def _start_value(optimizer: Optimizer, start: float | str) -> float:
    value = optimizer.values[start] if isinstance(start, str) else start
    assert isinstance(value, float)
    return value


def _filled(parameter: Tensor, value: float) -> Tensor:
    return torch.full_like(parameter, complex(value, value) if parameter.is_complex() else value)


@dataclass(frozen=True, slots=True, eq=False)
class OptimizerStep:
    """An `optimizer.step()` that has just run."""

    before: Snapshot
    """Snapshot from before the step."""

    learning_rate: float


def shared_rng(last: Tensor) -> Tensor:
    """Give the random number generator's state: 5 KB, so one that did not change is shared with `last`."""
    now = torch.get_rng_state()
    return last if torch.equal(now, last) else now
