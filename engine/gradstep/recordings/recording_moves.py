"""Where each action leads from a place of a recording."""

from __future__ import annotations

from typing import Final

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    RunOuter,
    StepNode,
    StepNodeBack,
    StepTo,
    Undo,
    Update,
    checked_count,
)
from gradstep.errors import BadInput, Refused
from gradstep.reasons import Reason, Refusal
from gradstep.recordings.recording_place import Standing

AHEAD: Final = (NextLine, StepNode, Forward, Backward, Update, Redo, RunEpochs, RunOuter, StepTo)
"""Actions that lead ahead."""

BACK: Final = (StepNodeBack, Undo, Reset)
"""Actions that lead back."""


def moved(place: Standing, action: Action) -> Standing:
    """Return the place to which an action leads.

    Raises:
        Refused: the action would change something, or leads out of the recording.
        BadInput: a value cannot be used.
    """
    if isinstance(action, GoTo):
        return _to(place, action)
    if type(action) in BACK:
        if not place.number:
            raise Refused(Refusal(Reason.START_OF_RECORDING))
        return _back(place, action)
    if type(action) not in AHEAD:
        raise Refused(Refusal(Reason.READ_ONLY))
    if place.following is None:
        raise Refused(Refusal(Reason.END_OF_RECORDING))
    return _ahead(place, action)


def _to(place: Standing, action: GoTo) -> Standing:
    points, number = place.points, action.point
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(points):
        raise BadInput(f"there is no point {number!r}: the last one is {len(points) - 1}")
    if action.inside and action.inside not in places_inside(place, number):
        raise BadInput(f"{action.inside!r} is not inside the action that led to point {number}")
    return Standing(points, number, action.inside)


def places_inside(place: Standing, number: int) -> range:
    """Return the numbers of the events inside the pass that leads to a point; none for any other point."""
    point = place.points[number]
    return range(1, len(point.record.trace)) if isinstance(point.action, Backward) else range(0)


def _back(place: Standing, action: Action) -> Standing:
    points = place.points
    match action:
        case Reset():
            return Standing(points, 0)
        case StepNodeBack() if place.inside > 1:
            return Standing(points, place.number, place.inside - 1)
        case StepNodeBack() if not place.inside and places_inside(place, place.number):
            return Standing(points, place.number, len(place.point.record.trace) - 1)
        case _:
            return Standing(points, place.number - 1)


def _ahead(place: Standing, action: Action) -> Standing:
    points, first = place.points, place.number if place.inside else place.number + 1
    match action:
        case StepNode():
            return _event(place, first, place.inside + 1)
        case StepTo(event):
            number = next((at for at in range(first, len(points)) if places_inside(place, at)), None)
            if number is None:
                raise Refused(Refusal(Reason.END_OF_RECORDING))
            return _event(place, number, _checked_event(place, number, event))
        case Forward() | Backward() | Update():
            found = (at for at in range(first, len(points)) if points[at].action == action)
            return Standing(points, next(found, len(points) - 1))
        case RunEpochs(count):
            ended = place.settled.rounds + checked_count(count)
            found = (at for at in range(first, len(points)) if points[at].rounds >= ended)
            return Standing(points, next(found, len(points) - 1))
        case RunOuter():
            return Standing(points, len(points) - 1)
        case _:
            return Standing(points, first)


def _checked_event(place: Standing, number: int, event: int) -> int:
    last = len(place.points[number].record.trace)
    begun = place.inside if number == place.number else 0
    if isinstance(event, bool) or not isinstance(event, int) or not begun < event <= last:
        raise BadInput(f"{event!r} is no event ahead: use a whole number from {begun + 1} to {last}")
    return event


def _event(place: Standing, number: int, event: int) -> Standing:
    """Return the place after an event of the pass that leads to a point; the last one is the point itself."""
    return Standing(place.points, number, event if event in places_inside(place, number) else 0)
