"""The two elements of the parameters that a loss surface varies unless others are chosen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from gradstep.analysis.loss_probe import loss_probe
from gradstep.errors import EngineError
from gradstep.pictures.trajectory import Trajectory
from gradstep.problem import Problem


@dataclass(frozen=True, slots=True)
class DefaultPair:
    """Two elements, and why they were chosen."""

    numbers: tuple[int, int]
    """Numbers of the two elements, counted from 0 through all parameters, in ascending order; twice 0 if the
    parameters have only one element."""

    moved: bool
    """Whether training has moved both further than any other element; otherwise the larger of them by its
    gradient was chosen, or both were."""


def default_pair(problem: Problem, path: Trajectory, rng: Tensor) -> DefaultPair:
    """Return the two elements that training has moved furthest; a live graph has to be built anew afterwards.

    Of elements that have not moved, or as far as each other, those with the largest gradients are chosen, and
    of these the first ones.

    Args:
        problem: Problem at the present values of its parameters.
        path: Path of the parameters up to the present.
        rng: State of the random number generator before the forward pass.
    """
    finite = [values for values in path.values if all(bool(value.isfinite().all()) for value in values)]
    start, end = (finite[0], finite[-1]) if finite else (path.values[-1], path.values[-1])
    moved = _sizes([new - old for old, new in zip(start, end, strict=True)])
    gradients = torch.zeros_like(moved)
    with suppress(EngineError), loss_probe(problem, rng) as probe:  # the surface says why it failed
        gradients = _sizes(probe.gradients())
    drawable = [torch.full((value.numel(),), not value.is_complex(), device="cpu") for value in end]
    left = torch.cat(drawable)
    numbers = list[int]()
    for _ in range(min(2, len(left))):
        numbers.append(_furthest(moved, gradients, left))
        left[numbers[-1]] = False
    first, second = sorted(numbers * (3 - len(numbers)))
    return DefaultPair((first, second), bool(moved[first] > 0 and moved[second] > 0))


def _sizes(values: list[Tensor]) -> Tensor:
    """Return the absolute value of every number, as float64; 0 for those that are not finite."""
    flat = torch.cat([value.detach().abs().reshape(-1).double().cpu() for value in values])
    return flat.nan_to_num(0.0, posinf=0.0)


def _furthest(moved: Tensor, gradients: Tensor, left: Tensor) -> int:
    """Return the first of the elements with the largest gradient among those that have moved furthest.

    Args:
        moved: Distance that each element has moved.
        gradients: Size of each element's gradient.
        left: Whether each element may be chosen; if none may, all of them are.
    """
    among = left if bool(left.any()) else torch.ones_like(left)
    for sizes in (moved, gradients):
        among = among & (sizes == sizes[among].max())
    return int(among.nonzero()[0].item())
