"""Notices about an action that worked, as facts; importing this module does not import torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RunStopped:
    """A run of epochs was stopped early, by whoever asked for it."""

    done: int
    """Epochs that ran to their end."""

    count: int
    """Epochs that were asked for."""


@dataclass(frozen=True, slots=True)
class RunDiverged:
    """A run of epochs ended because its loss became inf or nan."""

    epoch: int
    """Number of the epoch in which the loss became inf or nan, counted from 1 over the whole session."""

    loss: float = field(compare=False)
    """Inf or nan. It is not compared: nan differs from itself."""

    zeroing: bool
    """Whether the loop zeroes the gradients; without that they pile up."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An optimizer's step left parameters as they were because their `.grad` is None."""

    missing: int
    """Parameters without a gradient; at least 1."""

    parameters: int
    """All parameters."""


@dataclass(frozen=True, slots=True)
class TraceSummarized:
    """The recording of a backward pass exceeded its memory limit, so some gradients are kept as summaries."""

    tensors: int
    """Gradients of which only a summary is kept."""

    limit: int
    """Memory limit, in bytes."""


@dataclass(frozen=True, slots=True)
class ZeroingSet:
    """What the loop does with the gradients of the pass before was changed."""

    zeroing: bool
    """Whether it zeroes them."""

    set_to_none: bool
    """Whether it sets each `.grad` to None for that."""


@dataclass(frozen=True, slots=True)
class OptimizerSet:
    """Another optimizer updates the parameters from now on."""

    name: str
    """Its name in `torch.optim`; empty for the update by hand."""

    rate: float
    """Learning rate, which stays as it was."""

    usual: float | None
    """PyTorch's default for its learning rate, if that is not to be chosen by the size of the gradient."""


class Unit(StrEnum):
    """Parts that an action of the history consists of."""

    EPOCH = "epoch"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class InsideAction:
    """The session now stands inside an action of the history, not at its end."""

    unit: Unit
    number: int
    """Part at whose end the session stands, counted from 1."""

    count: int
    """Parts that the action has."""


@dataclass(frozen=True, slots=True)
class NotRepeatable:
    """The model keeps state outside PyTorch, which undo does not restore."""


@dataclass(frozen=True, slots=True)
class PassRaised:
    """The backward pass of a program raised an exception, which the program gets."""

    error: str
    """Kind and first line of the exception, e.g. `RuntimeError: ...`."""

    lesson: str
    """Sentence that explains it; empty if there is none."""


@dataclass(frozen=True, slots=True)
class LossMoved:
    """A run of epochs has changed the loss."""

    epochs: int
    """Epochs that ran to their end."""

    first: float
    """Loss before the run, or of its first epoch if there was none before."""

    last: float
    """Loss of its last epoch."""

    peak: float | None = None
    """Largest loss that came after the smallest, if it is far above the last one: the losses swing."""

    zeroing: bool = True
    """Whether the loop zeroes the gradients; without that they pile up."""

    @property
    def part(self) -> float:
        """Change as a part of the first loss: negative for a fall, nan if the first loss is 0."""
        return (self.last - self.first) / abs(self.first) if self.first else math.nan


@dataclass(frozen=True, slots=True)
class LossRises:
    """The loss rises in such a way that training diverges, although it is not inf yet."""

    epochs: int
    """Epochs in a row in which the loss has risen."""

    first: float
    """Loss before them."""

    last: float
    """Loss now."""

    zeroing: bool
    """Whether the loop zeroes the gradients; without that they pile up."""


@dataclass(frozen=True, slots=True)
class RateTooSmall:
    """A run has hardly changed the loss, although it has a slope: larger steps would lower it."""

    epochs: int
    """Epochs that ran to their end."""

    first: float
    """Loss before the run."""

    last: float
    """Loss of its last epoch."""

    rate: float
    """Learning rate of the run; nan if it is not known."""


LossSignal: TypeAlias = LossMoved | LossRises | RateTooSmall | RunDiverged
"""What the losses after an action give reason to say."""

Notice: TypeAlias = (
    RunStopped
    | RunDiverged
    | PassedOver
    | TraceSummarized
    | ZeroingSet
    | OptimizerSet
    | InsideAction
    | NotRepeatable
    | PassRaised
)
"""One thing that an action has to say."""
