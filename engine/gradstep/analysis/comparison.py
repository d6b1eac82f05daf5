"""Two runs side by side, in lock step: their losses, their weights, and the first number that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradstep.tensors.bitwise import differing
from gradstep.tensors.elements import element_name, index_at
from gradstep.training.loss_history import Losses
from gradstep.training.state import State

StateAfter = Callable[[int], State]
"""Gives a run's state after so many whole epochs."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Where the elements of a parameter lie furthest apart."""

    parameter: str
    index: tuple[int, ...]
    one: complex
    """A float, where the parameter is real."""

    other: complex

    @property
    def name(self) -> str:
        """Name of the element, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)

    @property
    def size(self) -> float:
        """The distance; nan where one of them is not a number."""
        return abs(self.one - self.other)


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first epoch that differs, and the first number that does."""

    epoch: int
    """Counted from 1: the epoch whose loss differs, or whose update came to other weights."""

    losses: tuple[float, float] | None
    """The two losses of that epoch; None where the weights differ and no loss has told yet."""

    weight: Gap | None
    """The first element that differs: of those with which an epoch with different losses began, else of
    those to which its update came; None where none does.

    A loop with its update before its forward has moved the former when it computes the loss."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    losses: Losses
    """As many as were compared."""

    after: StateAfter
    now: State
    """Where the two are compared: after equally many epochs."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What came of it."""

    epochs: int
    """How many whole epochs of each were compared."""

    losses: tuple[Losses, Losses]
    last: tuple[float, float] | None
    """Both losses of the last epoch that has one on either side; None where there is none."""

    gaps: tuple[Gap, ...]
    """For each parameter, where its elements lie furthest apart now."""

    first: FirstDifference | None
    """None where every number is the same."""

    momentum: float | None = None
    """How far, at the most and relative to the largest weight, this session's weights lie from those of
    `torch.optim.SGD(momentum=1)` with zeroing; None where that was not asked."""


def compare(names: Sequence[str], one: Side, other: Side) -> Comparison:
    """Compare two runs of one problem.

    Args:
        names: The parameters' names.
        one: The first run.
        other: The second, from the same start.
    """
    known = min(len(one.losses), len(other.losses))
    losses = Losses(one.losses.first(known), known), Losses(other.losses.first(known), known)
    last = (losses[0][known - 1], losses[1][known - 1]) if known else None
    gaps = _gaps(names, one.now, other.now)
    return Comparison(one.now.epoch, losses, last, gaps, _first(names, one, other, known))


def _first(names: Sequence[str], one: Side, other: Side, known: int) -> FirstDifference | None:
    mine, others = (np.frombuffer(side.losses.first(known)) for side in (one, other))
    differs = np.flatnonzero(~((mine == others) | (np.isnan(mine) & np.isnan(others))))
    if len(differs):
        epoch = int(differs[0])
        weight = _first_weight(names, one.after(epoch), other.after(epoch))
        return FirstDifference(epoch + 1, (float(mine[epoch]), float(others[epoch])), weight)
    weight = _first_weight(names, one.now, other.now)
    return None if weight is None else FirstDifference(max(one.now.epoch, known), None, weight)


def _first_weight(names: Sequence[str], one: State, other: State) -> Gap | None:
    for name, mine, others in _pairs(names, one, other):
        for index in torch.nonzero(differing(mine, others)).tolist()[:1]:
            return _gap(name, index, mine, others)
    return None


def _gaps(names: Sequence[str], one: State, other: State) -> tuple[Gap, ...]:
    found = []
    for name, mine, others in _pairs(names, one, other):
        if mine.numel():
            distance = torch.where(differing(mine, others), (mine - others).abs(), 0).nan_to_num(torch.inf)
            found.append(_gap(name, index_at(mine.shape, int(distance.argmax())), mine, others))
    return tuple(found)


def _pairs(names: Sequence[str], one: State, other: State) -> Sequence[tuple[str, Tensor, Tensor]]:
    return list(zip(names, one.trainer.parameters, other.trainer.parameters, strict=True))


def _gap(name: str, index: Sequence[int], one: Tensor, other: Tensor) -> Gap:
    place = tuple(index)
    return Gap(name, place, one[place].item(), other[place].item())
