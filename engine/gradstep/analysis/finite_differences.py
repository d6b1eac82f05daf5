"""Central finite differences: size of the step, size of the rounding noise, choice of the elements.

    dL/dp  ~  (L(p + h) - L(p - h)) / 2h

Two errors depend on h in opposite ways. Truncation, the part of L that the formula neglects (h^2/6 times the
third derivative), shrinks with h; the rounding error of L, divided by h, grows as h shrinks. The step that
balances the two is about eps^(1/3) times the size of p: Press et al., Numerical Recipes, section 5.7; Dennis
and Schnabel, Numerical Methods for Unconstrained Optimization, section 5.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

MOST: Final = 2_000
"""Limit on the elements that are checked; if there are more, a sample of them is checked."""

LARGEST: Final = 200
"""Number of elements of a sample that have the largest gradients; the others are spread evenly."""


def step_for(value: float, eps: float) -> float:
    """Return h, the power of two nearest to eps^(1/3) * max(1, |p|), so that p + h is hardly rounded.

    Args:
        value: Value of the element, p.
        eps: Machine epsilon of the precision in which the loss is computed.
    """
    return float(2.0 ** round(math.log2(eps ** (1 / 3) * max(1.0, abs(value)))))


def noise_of(losses: Sequence[float]) -> float:
    """Return an estimate of a function's rounding noise, as a standard deviation.

    Differences of order k cancel a polynomial of lower degree, and turn noise of standard deviation s into
    noise of variance s^2 (2k)! / (k!)^2: More and Wild, Estimating Computational Noise, SIAM J. Sci. Comput.
    33 (2011).

    Args:
        losses: Values of the function at equidistant points that are very close together.
    """
    order = 4
    table = torch.tensor(losses, dtype=torch.float64).diff(n=order)
    return math.sqrt(float(table.square().mean()) / math.comb(2 * order, order))


def chosen_places(grads: Sequence[Tensor]) -> tuple[list[tuple[int, int]], int]:
    """Return the elements to check, each as parameter and place, and the number of all elements.

    Args:
        grads: Gradient of each parameter, shape `(numel,)`.
    """
    sizes = [grad.numel() for grad in grads]
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
