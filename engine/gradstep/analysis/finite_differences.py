"""Central finite differences: how large a step, how much rounding noise, and of which elements.

    dL/dp  ~  (L(p + h) - L(p - h)) / 2h

Two errors pull in opposite ways: what the formula leaves out shrinks with h (truncation, h^2/6 times the
third derivative), and the rounding of L, divided by h, grows. The step that balances the two is of the size
eps^(1/3) times that of p: Press et al., Numerical Recipes, section 5.7; Dennis and Schnabel, Numerical
Methods for Unconstrained Optimization, section 5.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

MOST: Final = 2_000
"""Elements that are checked at the most; of more, a sample is."""

LARGEST: Final = 200
"""How many of a sample are those with the largest gradients; the others are spread evenly."""


def step_for(value: float, eps: float) -> float:
    """Give h: the power of two nearest to eps^(1/3) * max(1, |p|), so that p + h is hardly rounded."""
    return float(2.0 ** round(math.log2(eps ** (1 / 3) * max(1.0, abs(value)))))


def noise_of(losses: Sequence[float]) -> float:
    """Estimate the rounding noise of a function from its values at equidistant points, very close together.

    Differences of order k make nothing of a polynomial of lower degree, and make noise of deviation s into
    one of variance s^2 (2k)! / (k!)^2: More and Wild, Estimating Computational Noise, SIAM J. Sci. Comput. 33
    (2011).
    """
    order = 4
    table = torch.tensor(losses, dtype=torch.float64).diff(n=order)
    return math.sqrt(float(table.square().mean()) / math.comb(2 * order, order))


def chosen_places(grads: Sequence[Tensor]) -> tuple[list[tuple[int, int]], int]:
    """Choose what is checked, as parameter and place, and count what there is."""
    sizes = [one.numel() for one in grads]
    total = sum(sizes)
    places = set(range(total))
    if total > MOST:
        sizes_of_all = torch.cat(list(grads)).abs().nan_to_num(math.inf)
        places = set(sizes_of_all.topk(LARGEST).indices.tolist())
        places |= {number * total // (MOST - LARGEST) for number in range(MOST - LARGEST)}
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    found = []
    for place in sorted(places):
        parameter = max(number for number, start in enumerate(starts) if start <= place and sizes[number])
        found.append((parameter, place - starts[parameter]))
    return found, total
