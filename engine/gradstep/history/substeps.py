"""Places inside an action: the epochs of a run, or the events of a backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradstep.actions import Backward, GoTo, NextLine, RunEpochs, ran_by
from gradstep.errors import BadInput
from gradstep.history.checkpoints import Travel
from gradstep.history.tree import Point
from gradstep.notices import Unit
from gradstep.training.machine import Machine, S


@dataclass(frozen=True, slots=True)
class Inside:
    """The places between an action's start and its end."""

    unit: Unit

    places: range
    """Numbers of the places, as `GoTo.inside` counts them."""


def room_in(statements: Machine[Any, S], travel: Travel[S], point: Point) -> Inside | None:
    """Return the places inside the action that led to a point; None if there are none.

    The statements may be in another state afterwards.
    """
    if point.before is None:
        return None
    action = None if point.action is None else ran_by(point.action)
    if isinstance(action, RunEpochs):
        ran = point.epoch - point.before.epoch - travel.left_behind(point)
        return _inside(Unit.EPOCH, 1, ran - int(ran == action.count))
    if not isinstance(action, Backward | NextLine):
        return None
    travel.go(point)
    passing = statements.state.passing
    travel.go(point.before)
    before = statements.state
    if passing is None or passing.over or not passing.finished or passing.earlier:
        return None
    behind = before.passing.cursor if before.passing is not None and before.in_pass else 0
    return _inside(Unit.EVENT, behind + 1, len(passing.trace) - 1)


def not_inside(action: GoTo, room: Inside | None) -> BadInput:
    """Return the error for a jump to a place that does not exist."""
    if room is None:
        return BadInput(f"there is nothing inside the action that led to point {action.point}")
    return BadInput(
        f"{action.inside!r} is not inside the action that led to point {action.point}: "
        f"it has {room.unit}s {room.places[0]} to {room.places[-1]}"
    )


def _inside(unit: Unit, first: int, last: int) -> Inside | None:
    return Inside(unit, range(first, last + 1)) if first <= last else None
