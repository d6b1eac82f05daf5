"""The script's names for the model, the loss, the inputs, the targets and the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradstep.loop.batches import Split
from gradstep.loop.conventions import free

EACH = "parameters"
"""Name of a dictionary of all parameters, for a script without a short expression for them."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """The script's names for the model, the loss, the inputs, the targets and the parameters."""

    loss: str
    """Name of the loss function in the loop."""

    model: str = "model"
    inputs: str = "inputs"
    targets: str = "targets"

    loss_in_script: str = ""
    """Name of the loss function in the script, if it differs from `loss`; else empty.

    It differs for a function called `loss`, which the loop's own variable `loss` would hide.
    """

    every: str = ""
    """Expression that iterates over all parameters; empty if the loop has a line for each parameter."""

    modules: tuple[tuple[str, str], ...] = ()
    """Modules that own parameters: name in the script, and prefix of the parameters' names."""

    held: tuple[tuple[str, str], ...] = ()
    """Parameters that need an expression of their own, e.g. `("weight", 'model.get_parameter("weight")')`.

    They are parameters of a module that its `named_parameters` does not list under that name, or whose name
    is also a name of the script.
    """

    taken: frozenset[str] = frozenset()
    """Names that the script uses while it trains, so that the loop must not reuse them."""

    def spelled(self, split: Split) -> Split:
        """Return a split whose loop variables have names that the script does not use."""
        index, order, generator = (free(name, self.taken) for name in ("i", "order", "g"))
        return replace(split, index=index, order=order, generator=generator)

    @property
    def forward(self) -> tuple[str, ...]:
        """Two lines of a forward pass through all samples."""
        return self.forward_on(None)

    def forward_on(self, split: Split | None) -> tuple[str, ...]:
        """Return the lines of a forward pass through a part of the samples, or all if `split` is None."""
        part = "" if split is None else f"[{split.index}]"
        return (
            f"preds = {self.model}({self.inputs}{part})",
            f"loss = {self.loss}(preds, {self.targets}{part})",
            *(() if split is None else split.weight_lines),
        )
