"""Which names of a script stand for what, where a learner gives them instead of leaving it to convention."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct


class Names(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The names that were given; None for one that is to be found by convention."""

    model: str | None = None
    loss: str | None = None
    inputs: str | None = None
    targets: str | None = None


CONVENTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "inputs": ("inputs", "X", "x", "X_train", "x_train", "features", "data", "xs"),
    "targets": ("targets", "target", "y", "Y", "y_train", "Y_train", "labels", "ys"),
    "model": ("model", "net", "network", "mlp", "predict", "forward"),
    "loss": (
        "loss_fn",
        "criterion",
        "mse",
        "loss_function",
        "loss_func",
        "mse_loss",
        "cross_entropy",
        "loss",
    ),
}
"""The names by which each is found, best first."""

RATES: Final = ("learning_rate", "lr", "LR", "eta", "step_size")
"""The names of a learning rate, best first."""


def free(name: str, taken: Collection[str]) -> str:
    """Give a name of ours as it is where it is not taken, else the next one that is free: `i`, `i_`."""
    while name in taken:
        name += "_"
    return name
