"""Rules of loss functions and of the embedding. Source: PyTorch's derivatives.yaml.

`reduction` is saved by PyTorch as 0 for none, 1 for mean and 2 for sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, if_needed


def _averaged(formula: str) -> Text:
    """Return the formula, divided by the number of elements if the loss is a mean."""
    return When("reduction == 1", f"{formula} / self.numel()", formula)


def _weighted(formula: str) -> Text:
    return When("weight is None", _averaged(formula), _averaged(f"{formula} * weight"))


def _squared(this: str, that: str) -> Text:
    return When(
        "reduction == 1",
        f"2 / {this}.numel() * ({this} - {that}) * g",
        f"2 * ({this} - {that}) * g",
    )


def _picked(classes: str, target: str, weight: str, g: str) -> Rule:
    """Return the rule of a negative log likelihood; arguments are views that broadcast over the classes."""
    here = f"{classes} == target.{target}"
    return Rule(
        {
            "self": When(
                "weight is None",
                When(
                    "reduction == 1",
                    "where(picked, -g / total_weight, 0)",
                    When("reduction == 2", "where(picked, -g, 0)", f"where(picked, -{g}, 0)"),
                ),
                When(
                    "reduction == 1",
                    f"where(picked, -{weight} * (g / total_weight), 0)",
                    When(
                        "reduction == 2",
                        f"where(picked, -{weight} * g, 0)",
                        f"where(picked, -{weight} * {g}, 0)",
                    ),
                ),
            )
        },
        "Only the target class is in the loss: its log probability gets minus its share of the gradient, "
        "others get 0.",
        where={
            "right": here,
            "picked": When("ignore_index < 0", here, f"right & (target != ignore_index).{target}"),
        },
    )


_ROWS = "index_put(g.new_zeros(weight_sym_argsize_0, g.size(-1)), (indices,), {}, True)"
_SHARED = "g / indices.flatten().bincount()[indices].unsqueeze(-1)"

LOSSES: Final[Mapping[str, Rule]] = {
    "MseLossBackward0": Rule(
        {"self": _squared("self", "target"), "target": _squared("target", "self")},
        (
            if_needed("self", "The slope of a square is twice the difference: {2 * (self - target)}."),
            if_needed("target", "The slope of a square, seen from {target}, is {2 * (target - self)}."),
            When("reduction == 1", "A mean divides this by the number of elements.", ""),
        ),
        plain={"self": "prediction", "target": "target"},
    ),
    "NllLossBackward0": _picked("arange(self.size(-1))", "unsqueeze(-1)", "weight", "g.unsqueeze(-1)"),
    "NllLoss2DBackward0": _picked(
        "arange(self.size(1)).view(-1, 1, 1)", "unsqueeze(1)", "weight.view(-1, 1, 1)", "g.unsqueeze(1)"
    ),
    "BinaryCrossEntropyWithLogitsBackward0": Rule(
        {
            "self": When(
                "pos_weight is None",
                _weighted("(sigmoid(self) - target) * g"),
                _weighted("((p + 1 - target) * sigmoid(self) - p) * g"),
            ),
            "target": When(
                "pos_weight is None",
                _weighted("-self * g"),
                _weighted("(logsigmoid(-self) - pos_weight * logsigmoid(self)) * g"),
            ),
        },
        (
            if_needed(
                "self",
                When(
                    "pos_weight is None",
                    "The slope is the predicted probability minus the target: {sigmoid(self) - target}.",
                    "The slope is the predicted probability minus the target, with more or less weight on "
                    "targets of 1.",
                ),
            ),
            if_needed(
                "target",
                When(
                    "pos_weight is None",
                    "Seen from {target}, the slope is {-self}.",
                    "Seen from {target}, the slope is the difference of the two logarithms in the loss.",
                ),
            ),
            When("reduction == 1", "A mean divides this by the number of elements.", ""),
        ),
        where={"p": "pos_weight * target"},
        plain={"self": "logit", "target": "target"},
    ),
    "EmbeddingBackward0": Rule(
        {"weight": When("padding_idx < 0 and not scale_grad_by_freq", _ROWS.format("g"), _ROWS.format("G"))},
        "Each row of the table gets the sum of the gradients of all places that looked it up.",
        where={
            "shared": _SHARED,
            "G": When(
                "padding_idx < 0",
                _SHARED,
                When(
                    "scale_grad_by_freq",
                    "shared.masked_fill((indices == padding_idx).unsqueeze(-1), 0)",
                    "g.masked_fill((indices == padding_idx).unsqueeze(-1), 0)",
                ),
            ),
        },
    ),
}
