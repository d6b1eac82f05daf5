"""Marks for actions between epochs that influence the curve of losses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from typing import TYPE_CHECKING

from gradstep.actions import Reset, ToggleStatement, ToggleZeroing
from gradstep.loop.loop import Kind

if TYPE_CHECKING:
    from gradstep.history.tree import History, Point


class What(StrEnum):
    """Kind of action that a mark stands for."""

    ZEROING_OFF = "zeroing off"
    ZEROING_ON = "zeroing on"
    RATE = "learning rate"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class Mark:
    """Action that influences the curve of losses."""

    epoch: int
    """Number of epochs that had ended before the action."""

    what: What
    rate: float
    """The learning rate after it."""


def marks(history: History) -> tuple[Mark, ...]:
    """Return the marks on the way to the present point, since the start or the last reset."""
    zeroing, found = True, list[Mark]()
    for point in [*history.here.way()][::-1]:
        if isinstance(point.action, Reset):
            found.clear()
        for what in _marked(point, zeroing):
            zeroing = what is What.ZEROING_ON if what in (What.ZEROING_ON, What.ZEROING_OFF) else zeroing
            found.append(Mark(point.before.epoch if point.before else 0, what, point.learning_rate))
    return tuple(found)


def _marked(point: Point, zeroing: bool) -> list[What]:
    before, found = point.before, list[What]()
    if before is None or isinstance(point.action, Reset):
        return found
    if len(before.branches) > 1:
        found.append(What.BRANCH)
    if isinstance(point.action, ToggleZeroing) or point.action == ToggleStatement(Kind.ZERO):
        found.append(What.ZEROING_OFF if zeroing else What.ZEROING_ON)
    if point.learning_rate != before.learning_rate and not isnan(point.learning_rate):
        found.append(What.RATE)
    return found
