"""The history as a line of points, with the branches at each point."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradstep.actions import Action
from gradstep.history.happening import Happening
from gradstep.history.tree import History, Point
from gradstep.predictions.exercise import Prediction


@dataclass(frozen=True, slots=True)
class Stop:
    """One point of the line."""

    number: int
    """For `GoTo`."""

    action: Action | None
    """Action that led to the point; None for the start."""

    epoch: int
    """Epochs run to their end."""

    loss: float | None
    """Loss of the last forward pass; None before the first forward pass."""

    learning_rate: float
    branches: tuple[int, ...]
    """Numbers of all points that were reached from the previous point, including this point."""

    happening: Happening | None = None
    """What the action did; None if its name says it all."""

    prediction: Prediction | None = None
    """The prediction that the action answered; None for any other action."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One line, from the start to an end."""

    stops: tuple[Stop, ...]
    here: int | None
    """Index of the stop at which, or inside whose action, the session stands; None if on another line."""

    inside: int
    """Place inside the action, as `GoTo.inside` counts it; 0 at the end of the action."""

    lines: int
    """Number of lines in the tree."""

    losses: tuple[float, float] | None = None
    """Lowest and highest finite loss of all points of the tree; None if there is none."""

    beside: int | None = None
    """End of the run beside the session's: that of the nearest other branch with epochs of its own."""


def timeline(history: History, through: int | None = None) -> Timeline:
    """Return the line on which the session stands, or the line through another point.

    Raises:
        BadInput: there is no such point.
    """
    point = history.here if through is None else history.point(through)
    points = [*[*point.way()][::-1], *point.future()]
    here = history.here.steps
    on_line = here < len(points) and points[here] is history.here
    losses = [point.loss for point in history.points if point.loss is not None and math.isfinite(point.loss)]
    return Timeline(
        tuple(map(_stop, points)),
        here if on_line else None,
        history.inside if on_line else 0,
        history.lines,
        (min(losses), max(losses)) if losses else None,
        _beside(history.here),
    )


def _beside(here: Point) -> int | None:
    """Return the end of the nearest other branch in which epochs ran; None if there is none."""
    for passed in here.way():
        fork = passed.before
        for branch in () if fork is None else reversed(fork.branches):
            *_, end = (branch, *branch.future())
            if fork is not None and branch is not passed and end.epoch > fork.epoch:
                return end.number
    return None


def _stop(point: Point) -> Stop:
    around = [point] if point.before is None else point.before.branches
    return Stop(
        point.number,
        point.action,
        point.epoch,
        point.loss,
        point.learning_rate,
        tuple(branch.number for branch in around),
        point.happening,
        point.prediction,
    )
