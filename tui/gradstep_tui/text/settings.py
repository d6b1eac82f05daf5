"""Names of the choices of a session: its optimizer, and the way it goes through the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gradstep.loop.batches import Batches
    from gradstep.loop.optimizers import Optimizer

BY_HAND: Final = "SGD by hand"
FULL: Final = "full batch"
MICRO: Final = "micro-batches of {size}"
MINI: Final = "mini-batches of {size}"

OPTIMIZERS: Final[Mapping[str, str]] = {
    "hand": "the loop's own lines, w -= lr * w.grad",
    "SGD": "the same as a class, which can keep a momentum",
    "RMSprop": "divides each gradient by its usual size",
    "Adam": "averages gradients, and divides by their usual size",
    "AdamW": "Adam, and every weight shrinks a little in each step",
    "Adagrad": "divides by all gradients so far: steps get smaller",
    "NAdam": "Adam, looking one step ahead",
    "Adadelta": "steps as large as past ones, however large the gradients",
}
"""What each optimizer does, in a few words."""

OPTIONS: Final[Mapping[str, str]] = {
    "momentum": "share of past steps that goes on: 0.9",
    "dampening": "share of new gradients that is left out",
    "nesterov": "momentum that looks one step ahead",
    "weight_decay": "shrinks each weight by this share",
    "maximize": "goes up instead of down",
    "alpha": "how slowly the usual size changes",
    "eps": "added to the divisor: it is never 0",
    "centered": "divides by the spread around the average",
    "betas": "how slowly average and size change",
    "amsgrad": "divides by the largest size so far",
    "lr_decay": "lowers the learning rate with each step",
    "initial_accumulator_value": "sum of squares to begin with",
    "momentum_decay": "how fast the look ahead grows",
    "decoupled_weight_decay": "weight decay as in AdamW",
    "rho": "how slowly the usual sizes change",
}
"""What each option of the optimizers does, by PyTorch's name for it."""


def optimizer_title(optimizer: Optimizer) -> str:
    """Return the name of an optimizer: `SGD by hand` for the loop's own line, else `SGD(momentum=0.9)`."""
    return BY_HAND if optimizer.by_hand else optimizer.text


def batches_title(batches: Batches) -> str:
    """Return the name of a way to go through the samples, e.g. `micro-batches of 2`."""
    if batches.full:
        return FULL
    return (MICRO if batches.way == "micro" else MINI).format(size=batches.size)
