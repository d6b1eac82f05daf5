"""Names of the choices of a session: its optimizer, and the way it goes through the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gradstep.loop.batches import Batches
    from gradstep.loop.optimizers import Optimizer

BY_HAND: Final = "SGD by hand"
FULL: Final = "full batch"
MICRO: Final = "micro-batches of {size}"
MINI: Final = "mini-batches of {size}"


def optimizer_title(optimizer: Optimizer) -> str:
    """Return the name of an optimizer: `SGD by hand` for the loop's own line, else `SGD(momentum=0.9)`."""
    return BY_HAND if optimizer.by_hand else optimizer.text


def batches_title(batches: Batches) -> str:
    """Return the name of a way to go through the samples, e.g. `micro-batches of 2`."""
    if batches.full:
        return FULL
    return (MICRO if batches.way == "micro" else MINI).format(size=batches.size)
