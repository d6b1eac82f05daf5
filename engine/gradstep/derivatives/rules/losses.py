"""Rules of loss functions and of the embedding. Source: PyTorch's derivatives.yaml.

`reduction` is saved by PyTorch as 0 for none, 1 for mean and 2 for sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, by_need


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
        "only the target class is in the loss: its log probability gets -g times its share, others get 0",
        "-g at targets",
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
        When(
            "reduction == 1",
            "the slope of a square is twice the difference, divided by the number of elements for the mean",
            "the slope of a square is twice the difference",
        ),
        When(
            "reduction == 1",
            by_need("2/n*diff*g, -", self="2/n*diff*g", target="-2/n*diff*g"),
            by_need("2*diff*g, -", self="2*diff*g", target="-2*diff*g"),
        ),
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
        "the slope is the predicted probability minus the target",
        by_need("p - target, ...", self="(p - target)*g", target="-self * g"),
        where={"p": "pos_weight * target"},
    ),
    "EmbeddingBackward0": Rule(
        {"weight": When("padding_idx < 0 and not scale_grad_by_freq", _ROWS.format("g"), _ROWS.format("G"))},
        "each row of the table gets the sum of g over all lookups of that row",
        "g to its rows",
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
