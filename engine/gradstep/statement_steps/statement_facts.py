"""Facts about the statement that ran last, with its numbers. Importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.loop.script_loop import LoopHead
    from gradstep.problem import Labels
    from gradstep.training.snapshots import VariableValue


class LossForm(StrEnum):
    """Way in which a loss is made of predictions and targets."""

    SQUARES = "squares"
    """Sum of the squares of `preds - targets`, divided."""

    DISTANCES = "distances"
    """Sum of the magnitudes of `preds - targets`, divided."""

    CLASSES = "classes"
    """Sum of `-log` of the probability that softmax gives to each sample's class, divided."""

    SIGMOID = "sigmoid"
    """Sum of `-log` of the probability that a sigmoid gives to each target of 0 or 1, divided."""

    PROBABILITIES = "probabilities"
    """The same if the predictions are probabilities themselves."""


class Divisor(StrEnum):
    """What the sum in a loss is divided by."""

    NOTHING = "nothing"
    """The loss is the sum itself."""

    NUMBERS = "numbers"
    """The number of terms: the loss is their mean."""

    SAMPLES = "samples"
    """The number of samples."""

    HALF = "half"
    """2, which cancels the 2 in the derivative of a square."""

    WEIGHED = "weighed"
    """The number of terms of all parts of the samples, or that of this part times the number of parts."""


@dataclass(frozen=True, slots=True, eq=False)
class LossSum:
    """A loss as a sum of terms, divided; checked: the sum, divided, is the loss that PyTorch computed."""

    form: LossForm
    terms: Tensor
    """What is summed: squares, magnitudes, or `-log` of probabilities."""

    total: float
    """Sum of the terms."""

    divisor: int
    divided_by: Divisor
    difference: Tensor | None = None
    """`preds - targets`; None for a form that has none."""

    chances: Tensor | None = None
    """Probability that each target was given; None for a form without probabilities."""

    is_broadcast: bool = False
    """Whether predictions and targets have different shapes, so that PyTorch repeated one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of the last forward pass, or of the problem before the first."""

    inputs: Tensor | None
    """Inputs, a row for each sample; None if they are not known."""

    targets: Tensor | None
    preds: Tensor | None
    """Predictions of the last forward pass; None before it, or if they are not known."""

    names: tuple[str, str, str] = ("inputs", "targets", "preds")
    """The script's names for inputs, targets and predictions."""

    input_names: tuple[str, ...] = ()
    """Names of the inputs' columns; empty if they have none."""

    target_names: tuple[str, ...] = ()
    numbers: Tensor | None = None
    """Number of each sample, counted from 0, if these are a part of all samples; None if they are all."""

    loss: LossSum | None = None
    """How the loss is made of them; None before the first forward pass, or if no known form checks."""

    stale: bool = False
    """Whether the parameters have changed since the predictions were computed."""


@dataclass(frozen=True, slots=True, eq=False)
class ForwardStep:
    """A forward pass of the built-in loop."""

    samples: Samples
    loss: float
    expressions: tuple[str, str] = ("", "")
    """Expressions for the predictions and for the loss: `model(inputs)`, `mse(preds, targets)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A parameter before and after an update."""

    name: str
    labels: Labels
    before: Tensor
    after: Tensor
    grad: Tensor | None
    """`.grad` that the update used; None if it was None."""

    by_rule: bool = False
    """Whether `before - lr * grad`, rounded as PyTorch rounds, is `after`."""

    has_moved: bool = True
    """Whether any number differs."""


@dataclass(frozen=True, slots=True, eq=False)
class UpdateStep:
    """A statement that changed parameters."""

    learning_rate: float
    """Learning rate; nan if it is not known."""

    parameters: tuple[Moved, ...]
    """Every parameter of the built-in loop; of a script's own, those that changed."""

    @property
    def by_rule(self) -> bool:
        """Whether every parameter that moved did so by `before - lr * grad`."""
        return all(parameter.by_rule for parameter in self.parameters if parameter.has_moved)


@dataclass(frozen=True, slots=True, eq=False)
class Cleared:
    """A `.grad` before and after a statement that zeroed it."""

    name: str
    labels: Labels
    before: Tensor | None
    after: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class ZeroStep:
    """A statement that set gradients to zero or to None, or clipped them."""

    grads: tuple[Cleared, ...]

    @property
    def to_none(self) -> bool:
        """Whether each `.grad` is None now."""
        return all(grad.after is None for grad in self.grads)

    @property
    def zeroes(self) -> bool:
        """Whether each `.grad` is None or 0 now; False after clipping."""
        return all(grad.after is None or not bool(grad.after.any()) for grad in self.grads)


@dataclass(frozen=True, slots=True, eq=False)
class EpochsStep:
    """A run of epochs, or of rounds of a script's own loop, in sum."""

    epochs: int
    first: int
    """Number of epochs that had ended before the run."""

    updates: int | None
    """How often the parameters were updated; None if it is not known."""

    loss_before: float | None
    """Loss that was known when the run began, or of its first epoch if there was none; None if not known."""

    loss_after: float | None
    """Loss of the run's last epoch; None if it computed none."""

    parameters: tuple[Moved, ...]
    """Every parameter before and after the run, without gradients."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnStep:
    """A statement of a script's own loop that changed neither parameters nor gradients."""

    assigned: tuple[VariableValue, ...]
    """Variables that it assigned."""

    used: tuple[VariableValue, ...] = ()
    """Tensors and numbers that it used."""

    samples: Samples | None = None
    """Predictions and targets, if the statement made the loss of them in a way that checks."""

    loss: float | None = None
    """Loss that the statement made; None if it made none."""


StatementStep: TypeAlias = ForwardStep | UpdateStep | ZeroStep | EpochsStep | OwnStep
"""What ran last, with its numbers; a backward pass is not among them, because its events explain it."""


@dataclass(frozen=True, slots=True)
class About:
    """What a problem is, before anything has run."""

    name: str
    idea: str = ""
    """Sentence that says what the problem shows; empty if it is not known."""

    data: str = ""
    """Sentence that says what its data mean; empty if it is not known."""

    samples: int | None = None
    """Number of samples; None if it is not known."""

    input_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    inputs: tuple[int, ...] | None = None
    """Shape of the inputs; None if they are not known."""

    targets: tuple[int, ...] | None = None
    parameters: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Name and shape of each parameter."""

    file: str = ""
    """File that the problem was read from, without its folder; empty for a built-in problem."""

    is_table: bool = False
    """Whether the file is a table of data, for which the script was written."""

    loop: LoopHead | None = None
    """Head of the script's own loop; None if the loop is the built-in one."""

    oddities: int = 0
    """Number of odd things about the script's own loop."""
