"""The loss over two numbers of the parameters, the others as they are; and where training stands on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gradstep.analysis.loss_probe import Apart, apart
from gradstep.errors import BadInput, Stopped
from gradstep.pictures.elements import Pair, ParameterElement, Spots, pair_of, put
from gradstep.pictures.grid import FloatArray, grid_points
from gradstep.pictures.newton_minimum import lowest_of
from gradstep.pictures.trajectory import Trajectory
from gradstep.pictures.vmap_losses import batched_losses
from gradstep.problem import Problem
from gradstep.tensors.elements import place_of

SIDE: Final = 100
"""Losses along each side of the grid, where they can be computed many at a time."""

FEWEST: Final = 8
"""The same where each takes very long."""

SECONDS: Final = 1.0
"""About how long they may take."""

AT_ONCE: Final = 4_000_000
"""Numbers that a batch may hold at the most, counting the largest tensor known for each of its losses."""

SAME: Final = 1e-4
"""A batch's losses are used where those that are compared differ from plain ones by no more, relatively."""

NEAR: Final = 10.0
"""A minimum is shown up to so many times the path's extent away, or the present number's size."""

MARGIN: Final = 0.15
"""Room around the path and the minimum, as a part of their extent."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Surface:
    """A grid of losses, and points on it as pairs: along the first number, along the second."""

    places: tuple[ParameterElement, ParameterElement]
    first: tuple[float, ...]
    """The grid's values of the first number, ascending."""

    second: tuple[float, ...]
    losses: FloatArray
    """Shape (second, first); nan where a loss is not finite."""

    loss: float
    """The loss at the present point."""

    here: Pair
    path: tuple[Pair, ...]
    """Where the two numbers were, ending here. The other parameters were elsewhere then."""

    epochs: tuple[int, ...]
    """After how many epochs each."""

    whole_path: bool
    gradient: Pair
    """dL/d(first), dL/d(second) of one pass here."""

    step: Pair | None
    """By how much the next update moves; None where the loop has none."""

    lowest: Pair | None
    """The minimum over the two numbers; None where Newton's method found none."""

    batched: bool
    """Whether the losses were computed many at a time; each was by itself otherwise, on a coarser grid."""


def surface(
    problem: Problem,
    places: tuple[ParameterElement, ParameterElement],
    path: Trajectory,
    rng: Tensor,
    step: Sequence[Tensor] | None,
    stopped: Callable[[], bool] = lambda: False,
) -> Surface:
    """Compute it; the problem's tensors get their numbers back, and a live graph has to be built anew.

    Args:
        problem: With its parameters as they are now.
        places: Two different numbers.
        path: Where the parameters were.
        rng: The random number generator's state before every forward pass.
        step: What the next update adds to each parameter, flat; None where the loop has none.
        stopped: Asked between parts of the work.

    Raises:
        Stopped: `stopped` said so.
        BadInput: one of them is complex.
        PyTorchError: PyTorch refused a forward or a backward pass.
        NotAScalar: the loss is not one number.
    """
    for one in places:
        if problem.parameters[one.parameter].is_complex():
            raise BadInput(f"there is no surface to draw: {one.parameter} holds complex numbers")
    names = list(problem.parameters)
    spots = [
        (names.index(one.parameter), place_of(problem.parameters[one.parameter].shape, one.index))
        for one in places
    ]
    lowest = lowest_of(problem, spots, rng)
    with apart(problem, rng) as where:
        here = pair_of(where.values, spots)
        loss, gradients = where.loss(), where.gradients()
        arrow = None if step is None else pair_of(step, spots)
        line = tuple(pair_of([one.reshape(-1) for one in values], spots) for values in path.values)
        area = _area(line, here, arrow, lowest)
        losses, batched = _Losses(problem, where, spots, rng, stopped).over(area)
    first, second = _axes(area, losses.shape)
    return Surface(
        places=places,
        first=tuple(first.tolist()),
        second=tuple(second.tolist()),
        losses=np.where(np.isfinite(losses), losses, np.nan),
        loss=loss,
        here=here,
        path=line,
        epochs=path.epochs,
        whole_path=path.whole,
        gradient=pair_of(gradients, spots),
        step=arrow,
        lowest=lowest,
        batched=batched,
    )


class _Losses:
    """Computes losses over an area: many at a time where that gives the plain numbers, else one by one."""

    def __init__(
        self,
        problem: Problem,
        where: Apart,
        spots: Spots,
        rng: Tensor,
        stopped: Callable[[], bool],
    ) -> None:
        self._problem, self._where, self._spots = problem, where, spots
        self._rng, self._stopped = rng, stopped

    def over(self, area: tuple[Pair, Pair]) -> tuple[FloatArray, bool]:
        points = _points(area, SIDE)
        try:
            losses = self._batched(points)
        except Stopped:
            raise
        except Exception:  # what vmap cannot do is done one by one
            losses = None
        if losses is not None and self._as_plain(points, losses):
            return losses.reshape(SIDE, SIDE), True
        side = self._affordable(points)
        return self._one_by_one(_points(area, side)).reshape(side, side), False

    def _batched(self, points: FloatArray) -> FloatArray | None:
        """Compute all; None where that would take too long."""
        largest = max(one.numel() for one in (self._problem.inputs, *self._where.values))
        count = min(max(AT_ONCE // max(largest, 1), 1), len(points))
        began, found = time.monotonic(), list[FloatArray]()
        for start in range(0, len(points), count):
            if self._stopped():
                raise Stopped
            part = points[start : start + count]
            found.append(batched_losses(self._problem, self._values(part), self._rng).double().numpy())
            taken = (time.monotonic() - began) / (start + len(part))
            if taken * len(points) > 4 * SECONDS:
                return None
        return np.concatenate(found)

    def _values(self, points: FloatArray) -> dict[str, Tensor]:
        """Give the parameters that the points are about, for each of the points."""
        names, values = list(self._problem.parameters), dict[str, Tensor]()
        for column, (parameter, place) in enumerate(self._spots):
            name, now = names[parameter], self._where.values[parameter]
            if name not in values:
                values[name] = now.repeat(len(points), 1)
            values[name][:, place] = torch.from_numpy(points[:, column].copy()).to(now.dtype)
        return {
            name: number.reshape(-1, *self._problem.parameters[name].shape) for name, number in values.items()
        }

    def _as_plain(self, points: FloatArray, losses: FloatArray) -> bool:
        """Whether some of the losses are those that the model gives by itself."""
        chosen = np.linspace(0, len(points) - 1, 7).astype(int)
        plain, size = self._one_by_one(points[chosen]), np.nanmax(np.abs(losses), initial=0)
        return np.allclose(losses[chosen], plain, rtol=SAME, atol=SAME**2 * size, equal_nan=True)

    def _affordable(self, points: FloatArray) -> int:
        """Give how many losses a side may have."""
        began = time.monotonic()
        self._one_by_one(points[:3])
        each = (time.monotonic() - began) / 3
        return min(max(int((SECONDS / max(each, 1e-9)) ** 0.5), FEWEST), SIDE // 2)

    def _one_by_one(self, points: FloatArray) -> FloatArray:
        values, spots = self._where.values, self._spots
        kept = pair_of(values, spots)
        losses = np.empty(len(points))
        try:
            for number, point in enumerate(points.tolist()):
                if self._stopped():
                    raise Stopped
                put(values, spots, point)
                losses[number] = self._where.loss()
        finally:
            put(values, spots, kept)
        return losses


def _area(line: Sequence[Pair], here: Pair, step: Pair | None, lowest: Pair | None) -> tuple[Pair, Pair]:
    """Give the ends of both axes: around the path, and the minimum and the next step where they are near."""
    ends = []
    for axis in (0, 1):
        now = here[axis]
        values = [now, *(point[axis] for point in line if np.isfinite(point[axis]))]
        size = max(1.0, abs(now))
        if lowest is not None and abs(lowest[axis] - now) <= NEAR * max(size, max(values) - min(values)):
            values.append(lowest[axis])
        low, high = min(values), max(values)
        if lowest is None or high - low < SAME * size:  # nothing tells how far to look
            low, high = min(low, now - size / 4), max(high, now + size / 4)
        end = now if step is None else now + step[axis]
        if low - (high - low) < end < high + (high - low):
            low, high = min(low, end), max(high, end)
        pad = MARGIN * (high - low)
        ends.append((low - pad, high + pad))
    return ends[0], ends[1]


def _axes(area: tuple[Pair, Pair], shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    (left, right), (bottom, top) = area
    return np.linspace(left, right, shape[1]), np.linspace(bottom, top, shape[0])


def _points(area: tuple[Pair, Pair], side: int) -> FloatArray:
    """Give the grid's points, row by row, shape (side * side, 2)."""
    return grid_points(*_axes(area, (side, side)))
