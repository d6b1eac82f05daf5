"""What a problem's script calls what the loop uses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradstep.loop.batches import Split
from gradstep.loop.conventions import free

EACH = "parameters"
"""The name of what holds all parameters by their names, where a script has no short expression for them."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a problem's script calls what the loop uses."""

    loss: str
    """The loop's name for the loss function."""

    model: str = "model"
    inputs: str = "inputs"
    targets: str = "targets"

    loss_in_script: str = ""
    """The script's, where it differs: a function called `loss` would be hidden by the loop's own `loss`."""

    every: str = ""
    """An expression for all parameters, to go through; empty where the loop has a line for each."""

    modules: tuple[tuple[str, str], ...] = ()
    """The modules that parameters belong to: its name in the script, and what their names begin with."""

    held: tuple[tuple[str, str], ...] = ()
    """Parameters of a module whose names are not to be found in its dictionary, or could be taken for the
    script's own, each with its expression: `("weight", 'model.get_parameter("weight")')`."""

    taken: frozenset[str] = frozenset()
    """Names that the script needs while it trains, and that the loop must not use for something else."""

    def spelled(self, split: Split) -> Split:
        """Give a split with names that are free."""
        index, order, generator = (free(name, self.taken) for name in ("i", "order", "g"))
        return replace(split, index=index, order=order, generator=generator)

    @property
    def forward(self) -> tuple[str, ...]:
        """The two lines of a forward pass."""
        return self.forward_on(None)

    def forward_on(self, split: Split | None) -> tuple[str, ...]:
        """Give the lines of a forward pass through all samples, or through a part of them."""
        part = "" if split is None else f"[{split.index}]"
        return (
            f"preds = {self.model}({self.inputs}{part})",
            f"loss = {self.loss}(preds, {self.targets}{part})",
            *(() if split is None else split.weight_lines),
        )
