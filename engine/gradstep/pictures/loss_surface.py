"""The loss surface: the loss over two elements of the parameters, and the path of training on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gradstep.analysis.loss_probe import LossProbe, loss_probe
from gradstep.errors import BadInput, Stopped
from gradstep.pictures.elements import Pair, ParameterElement, Spots, pair_of, put
from gradstep.pictures.grid import FloatArray, grid_points
from gradstep.pictures.lowest_point import LowestPoint, lowest_point
from gradstep.pictures.newton_minimum import lowest_of
from gradstep.pictures.next_update import NextUpdate
from gradstep.pictures.trajectory import Trajectory
from gradstep.pictures.vmap_losses import batched_losses
from gradstep.problem import Problem
from gradstep.tensors.element_index import place_of
from gradstep.training.pytorch_errors import PyTorchError

SIDE: Final = 100
"""Losses along each side of the grid if they are computed in batches."""

FEWEST: Final = 8
"""Losses along each side of the grid if each of them takes very long."""

SECONDS: Final = 1.0
"""Approximate time in seconds that the grid's losses may take."""

AT_ONCE: Final = 4_000_000
"""Limit on the numbers of a batch, estimated as the largest known tensor times the batch's losses."""

SAME: Final = 1e-4
"""Relative tolerance between losses that were computed in a batch and the same losses computed singly."""

NEAR: Final = 10.0
"""Largest distance of a minimum that is drawn, as a multiple of the path's extent or the element's size."""

MARGIN: Final = 0.15
"""Room around the path and the minimum, as a fraction of their extent."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Surface:
    """A grid of losses, and points on it as pairs of values: of the first element, of the second."""

    places: tuple[ParameterElement, ParameterElement]
    """The two elements."""

    first: tuple[float, ...]
    """Values of the first element on the grid, ascending."""

    second: tuple[float, ...]
    """Values of the second element on the grid, ascending."""

    losses: FloatArray
    """Losses on the grid, shape `(len(second), len(first))`; nan if a loss is not finite."""

    loss: float
    """Loss at the present point."""

    here: Pair
    """The present point."""

    path: tuple[Pair, ...]
    """Path of the two elements up to the present point; the other elements had other values on the way."""

    epochs: tuple[int, ...]
    """Number of epochs that had run at each point of the path."""

    whole_path: bool
    """Whether the path has a point for every epoch."""

    gradient: Pair
    """dL/d(first) and dL/d(second) of one backward pass at the present point."""

    step: Pair | None
    """Change of the two elements by the next update; None if the loop does not come to one."""

    held: Pair | None
    """The two elements of `.grad` at the next update, with what earlier passes left there; None as `step`."""

    lowest: LowestPoint | None
    """Point such that no loss of the grid is lower; None if none of them is finite."""

    batched: bool
    """Whether the losses were computed in batches; otherwise singly, on a coarser grid."""


def surface(
    problem: Problem,
    places: tuple[ParameterElement, ParameterElement],
    path: Trajectory,
    rng: Tensor,
    update: NextUpdate | None,
    stopped: Callable[[], bool] = lambda: False,
) -> Surface:
    """Return the loss surface over two elements; a live graph has to be built anew afterwards.

    Args:
        problem: Problem at the present values of its parameters, which it has again afterwards.
        places: Two different elements.
        path: Path of the parameters up to the present.
        rng: State of the random number generator before every forward pass.
        update: The loop's next update; None if there is none.
        stopped: Called between parts of the work; returns True to stop.

    Raises:
        Stopped: `stopped` returned True.
        BadInput: one of the two elements is complex.
        PyTorchError: PyTorch refused a forward or a backward pass.
        NotAScalar: the loss is not one number.
    """
    for place in places:
        if problem.parameters[place.parameter].is_complex():
            raise BadInput(f"there is no surface to draw: {place.parameter} holds complex numbers")
    names = list(problem.parameters)
    spots = [
        (names.index(place.parameter), place_of(problem.parameters[place.parameter].shape, place.index))
        for place in places
    ]
    minimum = lowest_of(problem, spots, rng)
    with loss_probe(problem, rng) as probe:
        here = pair_of(probe.values, spots)
        loss, gradients = probe.loss(), probe.gradients()
        arrow = None if update is None else pair_of(update.change, spots)
        line = tuple(
            pair_of([parameter.reshape(-1) for parameter in values], spots) for values in path.values
        )
        area = _area(line, here, arrow, None if minimum is None else minimum[0])
        losses, batched = _Losses(problem, probe, spots, rng, stopped).over(area)
    axes = first, second = _axes(area, losses.shape)
    losses = np.where(np.isfinite(losses), losses, np.nan)
    return Surface(
        places=places,
        first=tuple(first.tolist()),
        second=tuple(second.tolist()),
        losses=losses,
        loss=loss,
        here=here,
        path=line,
        epochs=path.epochs,
        whole_path=path.whole,
        gradient=pair_of(gradients, spots),
        step=arrow,
        held=None if update is None else pair_of(update.grads, spots),
        lowest=lowest_point(minimum, (here, loss), axes, losses),
        batched=batched,
    )


class _Losses:
    """Computes losses over an area: in batches if their numbers are those of single losses, else singly."""

    def __init__(
        self,
        problem: Problem,
        probe: LossProbe,
        spots: Spots,
        rng: Tensor,
        stopped: Callable[[], bool],
    ) -> None:
        self._problem, self._probe, self._spots = problem, probe, spots
        self._rng, self._stopped = rng, stopped

    def over(self, area: tuple[Pair, Pair]) -> tuple[FloatArray, bool]:
        """Return losses, shape `(side, side)`, and whether they were computed in batches."""
        points = _points(area, SIDE)
        try:
            losses = self._batched(points)
        except PyTorchError:  # vmap cannot run this model or loss function
            losses = None
        if losses is not None and self._as_plain(points, losses):
            return losses.reshape(SIDE, SIDE), True
        side = self._affordable(points)
        return self._one_by_one(_points(area, side)).reshape(side, side), False

    def _batched(self, points: FloatArray) -> FloatArray | None:
        """Return the losses at all points, shape `(points,)`; None if that would take too long.

        Raises:
            Stopped: the learner stopped the computation.
            PyTorchError: `vmap` cannot run the model or the loss function.
        """
        largest = max(tensor.numel() for tensor in (self._problem.inputs, *self._probe.values))
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
        """Return, by name, values for the parameters that hold the two drawn elements.

        They have shape `(points, *parameter.shape)`: copies of the present values, with the two elements set
        to each point's coordinates.

        Args:
            points: Values of the two elements, shape `(points, 2)`.
        """
        names, values = list(self._problem.parameters), dict[str, Tensor]()
        for column, (parameter, place) in enumerate(self._spots):
            name, now = names[parameter], self._probe.values[parameter]
            if name not in values:
                values[name] = now.repeat(len(points), 1)
            values[name][:, place] = torch.from_numpy(points[:, column].copy()).to(now.dtype)
        return {
            name: number.reshape(-1, *self._problem.parameters[name].shape) for name, number in values.items()
        }

    def _as_plain(self, points: FloatArray, losses: FloatArray) -> bool:
        """Whether a sample of the losses equals the losses that the model computes singly."""
        chosen = np.linspace(0, len(points) - 1, 7).astype(int)
        plain, size = self._one_by_one(points[chosen]), np.nanmax(np.abs(losses), initial=0)
        return np.allclose(losses[chosen], plain, rtol=SAME, atol=SAME**2 * size, equal_nan=True)

    def _affordable(self, points: FloatArray) -> int:
        """Return the number of losses along each side of the grid for which there is time."""
        began = time.monotonic()
        self._one_by_one(points[:3])
        each = (time.monotonic() - began) / 3
        return min(max(int((SECONDS / max(each, 1e-9)) ** 0.5), FEWEST), SIDE // 2)

    def _one_by_one(self, points: FloatArray) -> FloatArray:
        values, spots = self._probe.values, self._spots
        kept = pair_of(values, spots)
        losses = np.empty(len(points))
        try:
            for number, point in enumerate(points.tolist()):
                if self._stopped():
                    raise Stopped
                put(values, spots, point)
                losses[number] = self._probe.loss()
        finally:
            put(values, spots, kept)
        return losses


def _area(line: Sequence[Pair], here: Pair, step: Pair | None, lowest: Pair | None) -> tuple[Pair, Pair]:
    """Return the ends of both axes: around the path, and the minimum and the next step if near."""
    ends = []
    for axis in (0, 1):
        now = here[axis]
        values = [now, *(point[axis] for point in line if np.isfinite(point[axis]))]
        size = max(1.0, abs(now))
        if lowest is not None and abs(lowest[axis] - now) <= NEAR * max(size, max(values) - min(values)):
            values.append(lowest[axis])
        low, high = min(values), max(values)
        if lowest is None or high - low < SAME * size:  # nothing determines the extent
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
    """Return the grid's points, row by row, shape (side * side, 2)."""
    return grid_points(*_axes(area, (side, side)))
