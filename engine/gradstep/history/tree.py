"""Every point of a session's history, as a tree: an action after an undo begins a branch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gradstep.actions import Action, SetOptimizer
from gradstep.errors import BadInput
from gradstep.history.happening import Happening
from gradstep.loop.batches import FULL, Batches
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.notices import Notice
from gradstep.predictions.exercise import Prediction
from gradstep.training.state import TrainingState


class Setting(NamedTuple):
    """Settings with which an epoch updates the parameters."""

    rate: float
    """The learning rate."""

    optimizer: Optimizer = HAND
    chosen: int = 0
    """Number of optimizers chosen before this one; each begins with an empty state."""

    batches: Batches = FULL
    """Split of the samples."""


@dataclass(slots=True, eq=False)
class Point:
    """One point: the action that led there from the point before it, and a few facts about it."""

    number: int
    """Counted from 0, the start, in the order in which points were first reached."""

    before: Point | None
    """Previous point; None for the start."""

    action: Action | None
    """Action that led from the previous point to this point; None for the start."""

    epoch: int
    """Epochs run to their end."""

    loss: float | None
    setting: Setting
    updated_at: Setting | None
    """Settings of the update in the epoch under way; None if that epoch has not updated yet."""

    notice: Notice | None = None
    """Notice of the action; None if there is none."""

    seconds: float = 0.0
    """Time that the action took, in seconds."""

    steps: int = 0
    """Number of actions from the start to this point."""

    branches: list[Point] = field(default_factory=list)
    """Next points, in the order in which they were first reached."""

    ahead: Point | None = None
    """The branch taken last."""

    happening: Happening | None = None
    """What the action did; None if its name says it all."""

    prediction: Prediction | None = None
    """The prediction that was answered on the way from the previous point; None for any other action."""

    @property
    def learning_rate(self) -> float:
        """The learning rate there."""
        return self.setting.rate

    def way(self) -> Iterator[Point]:
        """Yield this point and the points before it, back to the start."""
        at: Point | None = self
        while at is not None:
            yield at
            at = at.before

    def future(self) -> Iterator[Point]:
        """Yield the points ahead, along the branches that were taken last."""
        at = self.ahead
        while at is not None:
            yield at
            at = at.ahead


class History:
    """The tree of points, and the point at which the session stands."""

    def __init__(self, start: TrainingState) -> None:
        """Stand at `start`, with nothing before or after it."""
        setting = setting_of(start)
        self.points = [Point(0, None, None, start.epoch, start.loss, setting, None)]
        self.here = self.points[0]
        """Point at which, or inside whose action, the session stands."""

        self.inside = 0
        """Place inside the action of `here`, as `GoTo.inside` counts it; 0 at the end of the action."""

        self.lines = 1
        """Number of ends of the branches."""

        self._future = list[Point]()
        """Points ahead, the nearest last."""

    @property
    def position(self) -> int:
        """Number of actions that can be undone; a partly done action counts."""
        return self.here.steps

    @property
    def future(self) -> int:
        """Number of actions that can be redone; the rest of a partly done action counts."""
        return len(self._future) + bool(self.inside)

    def point(self, number: int) -> Point:
        """Return a point by its number.

        Raises:
            BadInput: there is none.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self.points):
            raise BadInput(f"there is no point {number!r}: the last one is {len(self.points) - 1}")
        return self.points[number]

    def add(
        self,
        action: Action,
        state: TrainingState,
        notice: Notice | None = None,
        seconds: float = 0.0,
        happening: Happening | None = None,
        prediction: Prediction | None = None,
    ) -> Point:
        """Go to the point that `action` leads to, which is new unless the action was done here before."""
        here = self.here
        known = next((branch for branch in here.branches if branch.action == action), None)
        if known is not None:
            self.go(known)
            return known
        point = Point(
            number=len(self.points),
            before=here,
            action=action,
            epoch=state.epoch,
            loss=state.loss,
            setting=setting_after(here, action, state),
            updated_at=_updated_at(here, state),
            notice=notice,
            seconds=seconds,
            steps=here.steps + 1,
            happening=happening,
            prediction=prediction,
        )
        self.points.append(point)
        self.lines += bool(here.branches)
        here.branches.append(point)
        here.ahead = self.here = point
        self.inside = 0
        self._future.clear()
        return point

    def go(self, point: Point, inside: int = 0) -> None:
        """Go to a point, or inside its action; redo then follows the line of that point."""
        if point.before is self.here and self._future and point is self._future[-1]:
            self._future.pop()
        elif point is self.here.before:
            self._future.append(self.here)
        elif point is not self.here:
            for passed in point.way():
                if passed.before is not None:
                    passed.before.ahead = passed
            self._future = [*point.future()][::-1]
        self.here, self.inside = point, inside


def setting_after(before: Point, action: Action | None, state: TrainingState) -> Setting:
    """Return the settings of a state that an action led to."""
    chosen = before.setting.chosen + isinstance(action, SetOptimizer)
    return setting_of(state, chosen)


def setting_of(state: TrainingState, chosen: int = 0) -> Setting:
    """Return the settings of a state; `chosen` counts the optimizers that were chosen before."""
    return Setting(state.learning_rate, state.loop.optimizer, chosen, state.loop.batches)


def _updated_at(before: Point, state: TrainingState) -> Setting | None:
    """Return the settings of the update in the epoch under way; None if it has not updated."""
    if not state.loop.has_updated:
        return None
    return before.setting if before.updated_at is None else before.updated_at
