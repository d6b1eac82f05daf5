"""The way that the parameters have come: their values after epochs of the session's line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from torch import Tensor

from gradstep.actions import RunEpochs
from gradstep.errors import Stopped
from gradstep.history.checkpoints import Travel, part_of
from gradstep.history.tree import History, Point
from gradstep.training.apply_action import perform
from gradstep.training.stepper import Statements

MOST: Final = 40
"""Points of a path, at about the most."""

AGAIN: Final = 600
"""Epochs that are run again to find where the parameters were; of longer runs, only the first ones are."""


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Where the parameters were, from the start to the present."""

    epochs: tuple[int, ...]
    """After how many epochs each."""

    values: tuple[tuple[Tensor, ...], ...]
    """Every parameter, as copies that nothing changes."""

    whole: bool
    """Whether every epoch is in it."""


def find_trajectory(
    statements: Statements, history: History, travel: Travel, stopped: Callable[[], bool] = lambda: False
) -> Trajectory:
    """Find where the parameters were; changes nothing.

    Args:
        statements: Afterwards in the state that they were in.
        history: Where the session stands.
        travel: Goes to its points.
        stopped: Asked between points.

    Raises:
        Stopped: `stopped` said so.
    """
    steps = _steps(history)
    lengths = _lengths([count for _, _, count in steps])
    stride = max(ceil(sum(lengths) / MOST), 1)
    found = list[tuple[int, tuple[Tensor, ...]]]()
    with statements.borrowed() as now:
        first = steps[0][0] if steps else history.here.before if history.inside else history.here
        assert first is not None
        travel.go(first)
        found.append((statements.state.epoch, statements.state.trainer.parameters))
        behind = 0
        for (before, action, count), length in zip(steps, lengths, strict=True):
            if stopped():
                raise Stopped
            stops = [one for one in range(1, length + 1) if (behind + one) % stride == 0]
            behind += length
            found += _inside(statements, travel, before, stops, count)
            if isinstance(action, Point) and (count in stops or count > length):
                travel.go(action)
                found.append((action.epoch, statements.state.trainer.parameters))
    found = [one for one in found if one[0] < now.epoch]
    found.append((now.epoch, now.trainer.parameters))
    epochs, values = zip(*found, strict=True)
    return Trajectory(epochs, values, len(epochs) == epochs[-1] - epochs[0] + 1)


def _steps(history: History) -> list[tuple[Point, Point | RunEpochs, int]]:
    """Give what ended epochs since the start, or the last reset: the point before it, what it is, how many.

    It is a point, or as much of a run as the session stands inside of.
    """
    at: Point | None = history.here
    steps = list[tuple[Point, Point | RunEpochs, int]]()
    if history.inside and at is not None and at.before is not None:
        part = part_of(at.action, history.inside)
        if isinstance(part, RunEpochs):
            steps.append((at.before, part, part.count))
        at = at.before
    while at is not None and at.before is not None and at.epoch >= at.before.epoch:
        if at.epoch > at.before.epoch:
            steps.append((at.before, at, at.epoch - at.before.epoch))
        at = at.before
    return steps[::-1]


def _lengths(counts: Sequence[int]) -> list[int]:
    """Give how many epochs of each step are looked at: all, where those are not too many."""
    most = AGAIN if sum(counts) <= AGAIN else max(AGAIN // len(counts), 1)
    return [min(count, most) for count in counts]


def _inside(
    statements: Statements, travel: Travel, before: Point, stops: Sequence[int], count: int
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Give the epoch and the parameters at some epochs of a step, counted from 1, before its last."""
    inner, done = [one for one in stops if one < count], 0
    if not inner:
        return
    travel.go(before)
    with statements.unrecorded():
        for stop in inner:
            perform(statements, RunEpochs(stop - done), statements.state)
            done = stop
            yield before.epoch + done, statements.state.trainer.parameters
