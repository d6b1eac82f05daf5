"""Words for a map of the model's predictions, the same on the bench and in a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.pictures.decision_regions import Regions

RULES: Final[Mapping[str, str]] = {
    "largest": "the class with the largest output",
    "logit": "1 if the output is above 0, that is a probability above 1/2; else 0",
    "nearer": "the target, of the two, that is nearer to the output",
    "output": "the output itself",
}
"""Description of a prediction, by the `DecisionRule` that reads it from the outputs."""


def rule_text(found: Regions) -> str:
    """Return how the predictions of a map were read from the model's outputs."""
    return RULES[found.rule]


def target_names(frame: Frame, columns: int) -> Sequence[str]:
    """Return the names of the targets' columns, taken from the parameters' first dimension."""
    firsts = (parameter.labels[0] for parameter in frame.parameters if parameter.labels)
    return next((names for names in firsts if names and len(names) == columns), ())


def input_names(frame: Frame, count: int = 2) -> Sequence[str]:
    """Return the names of `count` inputs, from a parameter's last dimension; empty if they have no names."""
    lasts = (parameter.labels[-1] for parameter in frame.parameters if len(parameter.labels) > 1)
    return next((names for names in lasts if len(names) == count), ())


def class_names(found: Regions, names: Sequence[str]) -> list[str]:
    """Return the names of the classes of a map; `names` are the names of the targets' columns."""
    if found.column is None and len(names) == found.columns:
        return [*names]
    return [f"{value:g}" for value in found.classes]


def wrong_points(found: Regions) -> list[int]:
    """Return the indices of the samples whose class is not the predicted class."""
    pairs = enumerate(zip(found.targets, found.preds, strict=True))
    return [number for number, (target, pred) in pairs if found.classes and target != pred]
