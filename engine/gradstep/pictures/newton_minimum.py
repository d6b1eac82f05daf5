"""The minimum of the loss over two numbers of the parameters, the others as they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from gradstep.analysis.loss_probe import Apart, apart
from gradstep.errors import EngineError
from gradstep.pictures.elements import Pair, Spots, pair_of, put
from gradstep.pictures.grid import FloatArray
from gradstep.problem import Problem

STEPS: Final = 8
"""Steps of Newton's method at the most."""

SAME: Final = 1e-4
"""A step that moves by no more, relatively, is the last one."""


def lowest_of(problem: Problem, spots: Spots, rng: torch.Tensor) -> Pair | None:
    """Find the minimum over the two numbers by Newton's method: exact in one step for a quadratic loss."""
    for dtype in (torch.float64, None):
        try:
            with apart(problem, rng, dtype) as where:
                return _newton(where, spots)
        except (EngineError, RuntimeError, np.linalg.LinAlgError):
            continue  # it does not run in that precision
    return None


def _newton(where: Apart, spots: Spots) -> Pair | None:
    at = pair_of(where.values, spots)
    best = where.loss()
    for _ in range(STEPS):
        slope, curvature = _derivatives(where, spots, at)
        if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
            return None
        step = np.linalg.solve(curvature, slope)
        at = (float(at[0] - step[0]), float(at[1] - step[1]))
        put(where.values, spots, at)
        now = where.loss()
        if not now <= best * (1 + SAME) + 1e-12:
            return None
        if np.abs(step).max() <= SAME * max(1.0, *map(abs, at)):
            return at
        best = now
    return None


def _derivatives(where: Apart, spots: Spots, at: Pair) -> tuple[FloatArray, FloatArray]:
    """Give the gradient, shape (2,), and the second derivatives, shape (2, 2), from gradients around."""
    slopes, steps = list[FloatArray](), [1e-3 * max(1.0, abs(one)) for one in at]
    for sign in (1, -1):
        for axis in (0, 1):
            moved = list(at)
            moved[axis] += sign * steps[axis]
            put(where.values, spots, moved)
            slopes.append(np.array(pair_of(where.gradients(), spots)))
    curvature = np.array([(slopes[axis] - slopes[axis + 2]) / (2 * steps[axis]) for axis in (0, 1)])
    return np.mean(slopes, axis=0), (curvature + curvature.T) / 2
