"""Rules of sums, means and choices over dims. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When


def _spread(after: str = "") -> Text:
    """Return the formula that restores reduced dims and copies g along them."""
    return When(
        "keepdim or not dim or not self_sym_sizes",
        f"g.expand(self_sym_sizes){after}",
        When(
            "len(dim) == 1",
            f"g.unsqueeze(*dim).expand(self_sym_sizes){after}",
            f"unsqueeze(g, dim).expand(self_sym_sizes){after}",
        ),
    )


_EXTREME = Rule(
    {"self": "where(self == result, g / (self == result).sum(), 0)"},
    "the elements equal to the result share g equally, and all others get 0",
    "g to the winner",
)
_EXTREME_IN_DIM = Rule(
    {
        "self": When(
            "keepdim or not self_sym_sizes",
            "g.new_zeros(self_sym_sizes).scatter(dim, indices, g)",
            "g.new_zeros(self_sym_sizes).scatter(dim, indices.unsqueeze(dim), g.unsqueeze(dim))",
        )
    },
    "each g goes to the element that was the result, and all others get 0",
    "g to the winners",
)
_EXTREME_OF_DIMS = Rule(
    {
        "self": When(
            "keepdim or not dim",
            "g * taken / taken.sum(dim, True)",
            "unsqueeze(g, dim) * taken / taken.sum(dim, True)",
        )
    },
    "the elements equal to the result share g equally, and all others get 0",
    "g to the winners",
    where={"taken": When("keepdim or not dim", "result == self", "unsqueeze(result, dim) == self")},
)


REDUCTIONS: Final[Mapping[str, Rule]] = {
    "SumBackward0": Rule(
        {"self": "g.expand(self_sym_sizes)"}, "every element of the sum gets a copy of g", "spread g"
    ),
    "SumBackward1": Rule({"self": _spread()}, "every element gets a copy of the g of its sum", "spread g"),
    "MeanBackward0": Rule(
        {"self": "g.expand(self_sym_sizes) / self_sym_numel"},
        "every element gets an equal share of g: g divided by the number of elements",
        "spread g / n",
    ),
    "MeanBackward1": Rule(
        {"self": When("not dim", "g.expand(self_sym_sizes) / self_sym_numel", _spread(" / n"))},
        "every element gets an equal share of the g of its mean: g divided by the number of its elements",
        "spread g / n",
        where={"n": "self_sym_numel // g.numel()"},
    ),
    "CumsumBackward0": Rule(
        {"self": "g.flip(dim).cumsum(dim).flip(dim)"},
        "an element is in its own running sum and all later ones, so it gets the sum of their g",
        "sum g backwards",
    ),
    "MaxBackward0": _EXTREME_IN_DIM,
    "MaxBackward1": _EXTREME,
    "MinBackward0": _EXTREME_IN_DIM,
    "MinBackward1": _EXTREME,
    "AmaxBackward0": _EXTREME_OF_DIMS,
    "AminBackward0": _EXTREME_OF_DIMS,
}
