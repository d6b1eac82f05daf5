"""The lowest point of a loss surface: the minimum, if it was found, or the lowest loss of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gradstep.pictures.elements import Pair
from gradstep.pictures.grid import FloatArray, grid_points

SAME: Final = 1e-4
"""Relative difference up to which two losses count as equal: those of a batch are rounded differently."""


@dataclass(frozen=True, slots=True)
class LowestPoint:
    """A point of a loss surface such that no loss of the surface's grid is lower."""

    at: Pair
    """Values of the two elements."""

    is_minimum: bool
    """Whether it is a minimum over the two elements; otherwise a point of the grid, or the present point."""


def lowest_point(
    minimum: tuple[Pair, float] | None,
    here: tuple[Pair, float],
    axes: tuple[FloatArray, FloatArray],
    losses: FloatArray,
) -> LowestPoint | None:
    """Return the lowest point; None if no loss of the grid is finite.

    Of points of the grid with equal losses, the nearest to the present point is returned, and the present
    point itself if it is as low.

    Args:
        minimum: A minimum and its loss, if one was found.
        here: The present point and its loss.
        axes: Values of the first element and of the second one on the grid, ascending.
        losses: Losses on the grid, shape `(len(axes[1]), len(axes[0]))`; nan if a loss is not finite.
    """
    if not np.isfinite(losses).any():
        return None
    low = float(np.nanmin(losses))
    if minimum is not None and not _is_lower(low, minimum[1]) and _is_inside(minimum[0], axes):
        return LowestPoint(minimum[0], is_minimum=True)
    if not _is_lower(low, here[1]):
        return LowestPoint(here[0], is_minimum=False)
    points = grid_points(*axes)[losses.reshape(-1) <= low + SAME * abs(low)]
    sizes = np.array([axis[-1] - axis[0] for axis in axes])
    nearest = points[np.argmin((((points - np.array(here[0])) / sizes) ** 2).sum(axis=1))]
    return LowestPoint((float(nearest[0]), float(nearest[1])), is_minimum=False)


def _is_lower(one: float, other: float) -> bool:
    """Return whether a loss is lower than another by more than rounding; any loss is lower than nan."""
    return not one >= other - SAME * max(abs(one), abs(other))


def _is_inside(point: Pair, axes: tuple[FloatArray, FloatArray]) -> bool:
    return all(axis[0] <= value <= axis[-1] for value, axis in zip(point, axes, strict=True))
