"""Problem to train: inputs, targets, parameters, a model and a loss function, read by `gradstep.scripts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from gradstep.captured_output import Printed
from gradstep.loop.loop import Loop
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.loop.reference import reference_loop
from gradstep.loop.script_names import Spelling

Labels = tuple[tuple[str, ...], ...]
"""One tuple of names per dimension of a parameter; empty for a dimension without names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Problem with the live tensors that its script made.

    `inputs` and `targets` have one row per sample, unless the script uses them in another way.
    """

    name: str
    inputs: Tensor
    targets: Tensor
    parameters: Mapping[str, Tensor]
    """Leaf tensors that require grad, by name, in the script's order."""

    model: Callable[[Tensor], Tensor]
    loss_fn: Callable[[Tensor, Tensor], Tensor]
    loss_name: str
    """The script's name for its loss function."""

    learning_rate: float
    labels: Mapping[str, Labels]
    """Names along each dimension of each parameter, by the parameter's name."""

    spelling: Spelling | None = None
    """The script's names for what the loop uses; None for a problem made without a script."""

    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors that a forward pass changes in place, such as BatchNorm's running mean, by name."""

    printed: Printed = field(default_factory=Printed)
    """Output of the script so far."""

    notes: tuple[str, ...] = ()
    """Remarks on how the script was understood, and on the installed PyTorch, a sentence each."""

    first_loss: float | None = None
    """Loss at the start values; None if it was not computed."""

    compiled: bool = False
    """Whether the script compiles code with `torch.compile`; here the code runs uncompiled."""

    optimizer: Optimizer = HAND
    """Optimizer of the script, if the trainer supports it; otherwise the update by hand."""

    constants: tuple[Tensor, ...] = ()
    """Floating-point tensors that training leaves as they are, e.g. frozen parameters and buffers."""

    input_names: tuple[str, ...] = ()
    """Names of the inputs' columns; empty if the script gives none that fit."""

    target_names: tuple[str, ...] = ()
    """Names of the targets' columns, or of the classes; empty if the script gives none that fit."""

    frozen: tuple[str, ...] = ()
    """Expressions for parameters that no optimizer of the script updates; they require no grad here."""

    @property
    def loss_variable(self) -> str:
        """Variable of the loop that holds the loss."""
        return "loss"

    @property
    def samples(self) -> int | None:
        """Number of samples; None if inputs and targets do not have one row each per sample."""
        inputs, targets = self.inputs, self.targets
        if not inputs.dim() or not targets.dim() or len(inputs) != len(targets) or len(inputs) < 2:
            return None
        return len(inputs)

    @property
    def words(self) -> Spelling:
        """The loop's names for the model, the loss, the inputs and the targets."""
        return self.spelling or Spelling(self.loss_name)

    def reference_loop(self) -> Loop:
        """Return the loop in the order forward, backward, update, zero, in the script's own names."""
        return reference_loop(tuple(self.parameters), self.loss_name, self.spelling)


@dataclass(frozen=True, kw_only=True)
class ScriptProblem:
    """Problem of a script that is trained by its own loop."""

    name: str
    parameters: Mapping[str, Tensor]
    """Leaf tensors that require grad when the loop begins, by the name or path that leads to them."""

    printed: Printed
    """Output of the script so far."""

    notes: tuple[str, ...] = ()
    """Remarks on the script, a sentence each."""

    loss_name: str = ""
    """Variable that holds the loss; empty if none does."""

    labels: Mapping[str, Labels] = field(default_factory=dict)
    """Names along each dimension of each parameter: none, as a script gives none."""

    compiled: bool = False
    """Whether the script compiles code with `torch.compile`; here the code runs uncompiled."""

    @property
    def loss_variable(self) -> str:
        """Variable of the script that holds the loss; empty if none does."""
        return self.loss_name

    @property
    def samples(self) -> None:
        """None: the script itself makes its batches."""
        return None
