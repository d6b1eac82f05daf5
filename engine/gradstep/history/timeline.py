"""The history as a line to walk along: what was done, and where it branches."""

from __future__ import annotations

from dataclasses import dataclass

from gradstep.actions import Action
from gradstep.history.tree import History, Point


@dataclass(frozen=True, slots=True)
class Stop:
    """One point of the line."""

    number: int
    """For `GoTo`."""

    action: Action | None
    """What led here; None for the start."""

    epoch: int
    """Epochs run to their end."""

    loss: float | None
    """The last forward pass's loss; None before the first."""

    learning_rate: float
    branches: tuple[int, ...]
    """Numbers of the points that were reached from the point before, this one among them."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One line, from the start to an end."""

    stops: tuple[Stop, ...]
    here: int | None
    """Place of the stop where the session stands, or inside of whose action; None where on another line."""

    inside: int
    """How far inside, as `GoTo` counts; 0 at the action's end."""

    lines: int
    """How many lines there are."""


def timeline(history: History, through: int | None = None) -> Timeline:
    """Give the line on which the session stands, or the one through another point.

    Raises:
        BadInput: there is no such point.
    """
    point = history.here if through is None else history.point(through)
    points = [*[*point.way()][::-1], *point.future()]
    here = history.here.steps
    on_line = here < len(points) and points[here] is history.here
    return Timeline(
        tuple(map(_stop, points)), here if on_line else None, history.inside if on_line else 0, history.lines
    )


def _stop(point: Point) -> Stop:
    around = [point] if point.before is None else point.before.branches
    return Stop(
        point.number,
        point.action,
        point.epoch,
        point.loss,
        point.learning_rate,
        tuple(one.number for one in around),
    )
