"""Comparison of two runs, epoch by epoch: their losses, their weights, and the first number that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradstep.tensors.bitwise import differing
from gradstep.tensors.element_index import element_name, index_at
from gradstep.training.loss_history import Losses
from gradstep.training.state import TrainingState

StateAfter = Callable[[int], TrainingState]
"""Returns the state of a run after a number of whole epochs."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An element of a parameter whose values in the two runs differ."""

    parameter: str
    """Name of the parameter."""

    index: tuple[int, ...]
    """Index of the element in the parameter."""

    first: complex
    """The element's value in the first run; a float if the parameter is real."""

    second: complex
    """The element's value in the second run; a float if the parameter is real."""

    @property
    def name(self) -> str:
        """Name of the element, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)

    @property
    def size(self) -> float:
        """Distance between the two values; nan if one of them is nan."""
        return abs(self.first - self.second)


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first epoch that differs between the two runs, and the first number in it that differs."""

    epoch: int
    """Epoch whose losses differ or whose updates led to different weights, counted from 1."""

    losses: tuple[float, float] | None
    """Losses of the epoch in the two runs; None if the weights differ and no loss differs yet."""

    weight: Gap | None
    """The first element that differs: if the losses differ, at the start of the epoch, else after its update.

    None if no element differs: a loop whose update runs before its forward moves the weights with which the
    epoch began before it computes the loss."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    losses: Losses
    """Losses of the run's epochs."""

    after: StateAfter
    """Returns the run's state after any number of its whole epochs."""

    now: TrainingState
    """TrainingState in which the run is compared; that of the other run has as many epochs."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Result of a comparison of two runs."""

    epochs: int
    """Number of whole epochs of each run that were compared."""

    losses: tuple[Losses, Losses]
    """Losses of the two runs, equally many."""

    last: tuple[float, float] | None
    """Losses of the last epoch that has a loss in both runs; None if no epoch has."""

    gaps: tuple[Gap, ...]
    """For each parameter that is not empty, its element with the largest distance between the two runs."""

    first: FirstDifference | None
    """The first difference; None if every number is the same."""

    momentum: float | None = None
    """Largest distance of the first run's weights from those of `torch.optim.SGD(momentum=1)` with zeroing.

    It is relative to the largest weight of each parameter; None if the optimizer was not run."""


def compare(names: Sequence[str], first: Side, second: Side) -> Comparison:
    """Return the comparison of two runs of one problem from the same start.

    Args:
        names: Names of the parameters.
        first: The first run.
        second: The second run.
    """
    known = min(len(first.losses), len(second.losses))
    losses = Losses(first.losses.first(known), known), Losses(second.losses.first(known), known)
    last = (losses[0][known - 1], losses[1][known - 1]) if known else None
    gaps = _gaps(names, first.now, second.now)
    return Comparison(first.now.epoch, losses, last, gaps, _first(names, first, second, known))


def _first(names: Sequence[str], first: Side, second: Side, known: int) -> FirstDifference | None:
    mine, others = (np.frombuffer(side.losses.first(known)) for side in (first, second))
    differs = np.flatnonzero(~((mine == others) | (np.isnan(mine) & np.isnan(others))))
    if len(differs):
        epoch = int(differs[0])
        weight = _first_weight(names, first.after(epoch), second.after(epoch))
        return FirstDifference(epoch + 1, (float(mine[epoch]), float(others[epoch])), weight)
    weight = _first_weight(names, first.now, second.now)
    return None if weight is None else FirstDifference(max(first.now.epoch, known), None, weight)


def _first_weight(names: Sequence[str], first: TrainingState, second: TrainingState) -> Gap | None:
    for name, mine, others in _pairs(names, first, second):
        for index in torch.nonzero(differing(mine, others)).tolist()[:1]:
            return _gap(name, index, mine, others)
    return None


def _gaps(names: Sequence[str], first: TrainingState, second: TrainingState) -> tuple[Gap, ...]:
    found = []
    for name, mine, others in _pairs(names, first, second):
        if mine.numel():
            distance = torch.where(differing(mine, others), (mine - others).abs(), 0).nan_to_num(torch.inf)
            found.append(_gap(name, index_at(mine.shape, int(distance.argmax())), mine, others))
    return tuple(found)


def _pairs(
    names: Sequence[str], first: TrainingState, second: TrainingState
) -> Sequence[tuple[str, Tensor, Tensor]]:
    return list(zip(names, first.trainer.parameters, second.trainer.parameters, strict=True))


def _gap(name: str, index: Sequence[int], first: Tensor, second: Tensor) -> Gap:
    place = tuple(index)
    return Gap(name, place, first[place].item(), second[place].item())
