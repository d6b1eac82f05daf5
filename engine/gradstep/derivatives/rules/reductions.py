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
    "Only the elements that are the result get a gradient: they share it equally, and all others get 0.",
)
_EXTREME_IN_DIM = Rule(
    {
        "self": When(
            "keepdim or not self_sym_sizes",
            "g.new_zeros(self_sym_sizes).scatter(dim, indices, g)",
            "g.new_zeros(self_sym_sizes).scatter(dim, indices.unsqueeze(dim), g.unsqueeze(dim))",
        )
    },
    "Each gradient goes to the element that is the result, and all others get 0.",
)
_EXTREME_OF_DIMS = Rule(
    {
        "self": When(
            "keepdim or not dim",
            "g * taken / taken.sum(dim, True)",
            "unsqueeze(g, dim) * taken / taken.sum(dim, True)",
        )
    },
    "Only the elements that are the result get a gradient: they share it equally, and all others get 0.",
    where={"taken": When("keepdim or not dim", "result == self", "unsqueeze(result, dim) == self")},
)


REDUCTIONS: Final[Mapping[str, Rule]] = {
    "SumBackward0": Rule(
        {"self": "g.expand(self_sym_sizes)"},
        "A sum grows by as much as each of its elements, so each element gets a copy of the gradient.",
    ),
    "SumBackward1": Rule(
        {"self": _spread()},
        "A sum grows by as much as each of its elements, so each element gets a copy of its sum's gradient.",
    ),
    "MeanBackward0": Rule(
        {"self": "g.expand(self_sym_sizes) / self_sym_numel"},
        "Every element has an equal share in a mean, so each gets the gradient divided by their number, "
        "{self_sym_numel}.",
    ),
    "MeanBackward1": Rule(
        {"self": When("not dim", "g.expand(self_sym_sizes) / self_sym_numel", _spread(" / n"))},
        "Every element has an equal share in a mean, so each gets its mean's gradient divided by the number "
        "of elements in that mean.",
        where={"n": "self_sym_numel // g.numel()"},
    ),
    "CumsumBackward0": Rule(
        {"self": "g.flip(dim).cumsum(dim).flip(dim)"},
        "An element is in its own running sum and in all later ones, so it gets the sum of their gradients.",
    ),
    "MaxBackward0": _EXTREME_IN_DIM,
    "MaxBackward1": _EXTREME,
    "MinBackward0": _EXTREME_IN_DIM,
    "MinBackward1": _EXTREME,
    "AmaxBackward0": _EXTREME_OF_DIMS,
    "AminBackward0": _EXTREME_OF_DIMS,
}
