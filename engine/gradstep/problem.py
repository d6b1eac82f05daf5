"""What is trained: inputs, targets, parameters, a model and a loss function, read by `gradstep.scripts`."""

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
"""One tuple of names per dimension of a parameter; empty where the dimension has no names."""


@dataclass(frozen=True)
class Problem:
    """A problem, with the live tensors that its script made."""

    name: str
    inputs: Tensor
    targets: Tensor
    parameters: Mapping[str, Tensor]
    """The leaves that require grad, in the order in which the script names them."""

    model: Callable[[Tensor], Tensor]
    loss_fn: Callable[[Tensor, Tensor], Tensor]
    loss_name: str
    """What the script calls its loss function."""

    learning_rate: float
    labels: Mapping[str, Labels]
    """For each parameter, the names along each of its dimensions."""

    spelling: Spelling | None = None
    """What the script calls what the loop uses; None for a problem that was made without a script."""

    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """What a forward pass changes beside its results, such as a BatchNorm's running mean."""

    printed: Printed = field(default_factory=Printed)
    """What the script has printed so far, while it was loaded and since."""

    notes: tuple[str, ...] = ()
    """What there is to say about how the script was understood."""

    first_loss: float | None = None
    """The loss at the start values; None where it was not tried."""

    optimizer: Optimizer = HAND
    """What the script has for updating the parameters, where the trainer has it, too."""

    @property
    def samples(self) -> int | None:
        """How many samples there are; None where inputs and targets are not one row each for every sample."""
        inputs, targets = self.inputs, self.targets
        if not inputs.dim() or not targets.dim() or len(inputs) != len(targets) or len(inputs) < 2:
            return None
        return len(inputs)

    @property
    def words(self) -> Spelling:
        """What the loop calls what it uses."""
        return self.spelling or Spelling(self.loss_name)

    def reference_loop(self) -> Loop:
        """Give the loop in the order forward, backward, update, zero, in the script's own words."""
        return reference_loop(tuple(self.parameters), self.loss_name, self.spelling)
