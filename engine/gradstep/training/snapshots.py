"""Immutable copies of everything that a trainer holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from gradstep.loop.loop import StatementKey
from gradstep.loop.optimizers import HAND, Optimizer

Grads = tuple[Tensor | None, ...]

Memory = tuple[Mapping[str, Tensor], ...]
"""State tensors of an optimizer for each parameter, by PyTorch's names; empty if there are none."""


class Graph(Enum):
    """Condition of the last forward pass's graph."""

    LIVE = "live"
    """A backward pass can run through the graph."""

    USED = "used"
    """A backward pass has freed the graph's saved tensors."""

    BROKEN = "broken"
    """PyTorch raised an error in the middle of a backward pass through the graph."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A part of the samples, and the lines of its forward pass."""

    lines: tuple[str, ...]
    indices: Tensor
    """Indices of the part's samples, counted from 0; shape `(size,)`."""

    index: str = "i"
    """Name of the indices in the lines."""


@dataclass(frozen=True, slots=True, eq=False)
class ForwardPass:
    """A forward pass: its inputs that training changes, and its results."""

    parameters: tuple[Tensor, ...]
    """Values of the parameters."""

    rng: Tensor
    """State of the random number generator before the pass."""

    preds: Tensor | None
    """Predictions; None if a script's own statements made the loss."""

    loss: Tensor
    buffers: tuple[Tensor, ...] = ()
    """Values of the buffers before the pass."""

    batch: Batch | None = None
    """Part of the samples; None for all samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Copies of everything that the trainer holds, enough to restore it bit for bit."""

    parameters: tuple[Tensor, ...]
    grads: Grads
    rng: Tensor
    forward: ForwardPass | None = None
    graph: Graph | None = None
    written: frozenset[int] = frozenset()
    """Indices of the parameters that were written to since the forward pass, even if no bit changed: PyTorch
    counts writes."""

    buffers: tuple[Tensor, ...] = ()
    """Buffers, which a forward pass may change, such as a BatchNorm's running mean."""

    optimizer: Optimizer = HAND
    memory: Memory = ()
    """State tensors of the optimizer, such as momentum buffers and averages, for each parameter."""

    def numbers(self) -> Iterator[Tensor]:
        """Yield all tensors that belong to a parameter: values, gradients and optimizer state."""
        yield from self.parameters
        yield from (grad for grad in self.grads if grad is not None)
        yield from (tensor for state in self.memory for tensor in state.values())

    def without_graph(self) -> Snapshot:
        """Return a copy without gradients and without a forward pass."""
        grads = (None,) * len(self.grads)
        return replace(self, grads=grads, forward=None, graph=None, written=frozenset())

    def with_optimizer(self, optimizer: Optimizer) -> Snapshot:
        """Return a copy with a new optimizer, which has not made a step."""
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
class LastStatement:
    """A statement that has just run."""

    before: Snapshot
    """Snapshot from before the statement."""

    learning_rate: float
    key: StatementKey
    """Key of the statement among those of its loop."""

    assigned: tuple[str, ...] = ()
    """Variables that a statement of a script's own loop assigned."""

    used: tuple[str, ...] = ()
    """Variables that a statement of a script's own loop used."""


@dataclass(frozen=True, slots=True, eq=False)
class VariableValue:
    """A variable of a script, as a statement left it."""

    name: str
    value: Tensor | float | str | None
    """Numbers of a tensor, or a number, or a text; None if the variable is something else or is too large."""

    shape: tuple[int, ...] | None = None
    """Shape of a tensor; None for anything else."""

    kind: str = ""
    """Name of the type, or of a tensor's dtype."""

    has_graph: bool = False
    """Whether a gradient can be computed for it."""

    made_from: tuple[str, ...] = ()
    """Names that the statement used that assigned it."""


@dataclass(frozen=True, slots=True, eq=False)
class LastEpochs:
    """A run of epochs, or of rounds of a script's own loop, that has just ended."""

    before: Snapshot
    """Snapshot from before the run."""

    epochs: int
    """Number of epochs that ended."""

    first: int
    """Number of epochs that had ended before the run."""

    updates: int | None = None
    """How often the parameters were updated; None if it is not known."""


def shared_rng(last: Tensor) -> Tensor:
    """Return the random number generator's state, 5 KB; if it did not change, `last` itself."""
    now = torch.get_rng_state()
    return last if torch.equal(now, last) else now
