"""Names under which a script's model, loss, inputs, targets and learning rate are found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct


class Names(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Names that were given for the parts of a problem; None for a part that is found by convention."""

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
"""Conventional names of each part, best first."""

RATES: Final = ("learning_rate", "lr", "LR", "eta", "step_size")
"""Conventional names of a learning rate, best first."""


def free(name: str, taken: Collection[str]) -> str:
    """Return a name that the script does not use: `name` itself, or with underscores added, e.g. `i_`."""
    while name in taken:
        name += "_"
    return name
