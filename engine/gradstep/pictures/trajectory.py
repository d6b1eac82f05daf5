"""The path of the parameters: their values after the epochs that led to the session's present state."""

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
from gradstep.training.state import State
from gradstep.training.stepper import Statements

MOST: Final = 40
"""Approximate limit on the points of a path."""

AGAIN: Final = 600
"""Limit on the epochs that are run again to find the path; of longer runs, only the first epochs are."""


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Values of the parameters from the start to the present."""

    epochs: tuple[int, ...]
    """Number of epochs that had run at each point of the path, ascending."""

    values: tuple[tuple[Tensor, ...], ...]
    """Every parameter at each point of the path, as copies that never change."""

    whole: bool
    """Whether the path has a point for every epoch."""


def find_trajectory(
    statements: Statements,
    history: History,
    travel: Travel[State],
    stopped: Callable[[], bool] = lambda: False,
) -> Trajectory:
    """Return the path of the parameters; the session's state is the same afterwards.

    Args:
        statements: Runs epochs again; ends in the state in which it began.
        history: Tree of the session's actions, with the point at which the session is.
        travel: Puts `statements` into the state of any point of the history.
        stopped: Called between points; returns True to stop.

    Raises:
        Stopped: `stopped` returned True.
    """
    first, steps = _steps(history)
    lengths = _lengths([count for _, _, count in steps])
    stride = max(ceil(sum(lengths) / MOST), 1)
    found = list[tuple[int, tuple[Tensor, ...]]]()
    with statements.borrowed() as now:
        travel.go(first)
        found.append((statements.state.epoch, statements.state.trainer.parameters))
        behind = 0
        for (before, action, count), length in zip(steps, lengths, strict=True):
            if stopped():
                raise Stopped
            stops = [epoch for epoch in range(1, length + 1) if (behind + epoch) % stride == 0]
            behind += length
            found += _inside(statements, travel, before, stops, count)
            if isinstance(action, Point) and (count in stops or count > length):
                travel.go(action)
                found.append((action.epoch, statements.state.trainer.parameters))
    found = [(epoch, parameters) for epoch, parameters in found if epoch < now.epoch]
    found.append((now.epoch, now.trainer.parameters))
    epochs, values = zip(*found, strict=True)
    return Trajectory(epochs, values, len(epochs) == epochs[-1] - epochs[0] + 1)


def _steps(history: History) -> tuple[Point, list[tuple[Point, Point | RunEpochs, int]]]:
    """Return the start or the last reset, and the steps that ended epochs since then, oldest first.

    A step is the point before it, the step itself, and the number of epochs that it ended. The step itself is
    a point, or the part of a run of epochs that has run if the session stands inside that run.
    """
    at = history.here
    steps = list[tuple[Point, Point | RunEpochs, int]]()
    if history.inside and at.before is not None:
        part = part_of(at.action, history.inside)
        if isinstance(part, RunEpochs):
            steps.append((at.before, part, part.count))
        at = at.before
    while at.before is not None and at.epoch >= at.before.epoch:
        if at.epoch > at.before.epoch:
            steps.append((at.before, at, at.epoch - at.before.epoch))
        at = at.before
    return at, steps[::-1]


def _lengths(counts: Sequence[int]) -> list[int]:
    """Return how many epochs of each step are run again: all of them, unless there are too many in total."""
    most = AGAIN if sum(counts) <= AGAIN else max(AGAIN // len(counts), 1)
    return [min(count, most) for count in counts]


def _inside(
    statements: Statements, travel: Travel[State], before: Point, stops: Sequence[int], count: int
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Yield the epoch and the parameters after some epochs of a step, without its last epoch.

    Args:
        statements: Runs the epochs.
        travel: Goes to `before`.
        before: Point before the step.
        stops: Epochs of the step to yield, counted from 1, ascending.
        count: Number of epochs of the step.
    """
    inner, done = [stop for stop in stops if stop < count], 0
    if not inner:
        return
    travel.go(before)
    with statements.unrecorded():
        for stop in inner:
            perform(statements, RunEpochs(stop - done), statements.state)
            done = stop
            yield before.epoch + done, statements.state.trainer.parameters
