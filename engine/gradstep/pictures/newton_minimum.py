"""The minimum of the loss over two elements of the parameters, while the other elements stay as they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from gradstep.analysis.loss_probe import LossProbe, loss_probe
from gradstep.errors import EngineError
from gradstep.pictures.elements import Pair, Spots, pair_of, put
from gradstep.pictures.grid import FloatArray
from gradstep.problem import Problem

STEPS: Final = 8
"""Limit on the steps of Newton's method."""

SAME: Final = 1e-4
"""Relative size of a step below which the method has converged."""


def lowest_of(problem: Problem, spots: Spots, rng: torch.Tensor) -> tuple[Pair, float] | None:
    """Return the minimum over two elements by Newton's method, which is exact after one step for a quadratic.

    The loss is computed in float64, or in the parameters' own precision if float64 does not work.

    Args:
        problem: Problem at the present values of its parameters.
        spots: Positions of the two elements.
        rng: State of the random number generator before every forward pass.

    Returns:
        Values of the two elements at the minimum, and its loss; None if the method does not converge to one.
    """
    for dtype in (torch.float64, None):
        try:
            with loss_probe(problem, rng, dtype) as probe:
                return _newton(probe, spots)
        except (EngineError, RuntimeError, np.linalg.LinAlgError):
            continue  # the problem does not run in this precision
    return None


def _newton(probe: LossProbe, spots: Spots) -> tuple[Pair, float] | None:
    at = pair_of(probe.values, spots)
    best = probe.loss()
    for _ in range(STEPS):
        slope, curvature = _derivatives(probe, spots, at)
        if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
            return None
        step = np.linalg.solve(curvature, slope)
        at = (float(at[0] - step[0]), float(at[1] - step[1]))
        put(probe.values, spots, at)
        now = probe.loss()
        if not now <= best * (1 + SAME) + 1e-12:
            return None
        if np.abs(step).max() <= SAME * max(1.0, *map(abs, at)):
            return at, now
        best = now
    return None


def _derivatives(probe: LossProbe, spots: Spots, at: Pair) -> tuple[FloatArray, FloatArray]:
    """Return the gradient, shape (2,), and the second derivatives, shape (2, 2), at a point.

    Both come from autograd's gradients a little to each side of the point along each axis.
    """
    slopes, steps = list[FloatArray](), [1e-3 * max(1.0, abs(value)) for value in at]
    for sign in (1, -1):
        for axis in (0, 1):
            moved = list(at)
            moved[axis] += sign * steps[axis]
            put(probe.values, spots, moved)
            slopes.append(np.array(pair_of(probe.gradients(), spots)))
    curvature = np.array([(slopes[axis] - slopes[axis + 2]) / (2 * steps[axis]) for axis in (0, 1)])
    return np.mean(slopes, axis=0), (curvature + curvature.T) / 2
