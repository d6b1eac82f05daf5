"""Every point that a session has been at: a tree, for what is done after an undo begins a branch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gradstep.actions import Action, SetOptimizer
from gradstep.errors import BadInput
from gradstep.loop.batches import FULL, Batches
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.notices import Notice
from gradstep.training.state import State


class Setting(NamedTuple):
    """How an epoch updates the parameters."""

    rate: float
    """The learning rate."""

    optimizer: Optimizer = HAND
    chosen: int = 0
    """How many optimizers were chosen before this one: each begins with nothing remembered."""

    batches: Batches = FULL
    """How the samples are split."""


@dataclass(slots=True, eq=False)
class Point:
    """One point: the action that led there from the point before it, and a few facts about it."""

    number: int
    """Counted from 0, the start, in the order in which points were first reached."""

    before: Point | None
    """None for the start."""

    action: Action | None
    """None for the start."""

    epoch: int
    """Epochs run to their end."""

    loss: float | None
    setting: Setting
    updated_at: Setting | None
    """How the epoch under way has updated, where it has already."""

    notice: Notice | None = None
    """What the action had to say."""

    seconds: float = 0.0
    """How long it took."""

    steps: int = 0
    """How many actions lead here from the start."""

    branches: list[Point] = field(default_factory=list)
    """What was done from here, in the order in which it was first done."""

    ahead: Point | None = None
    """The branch taken last."""

    @property
    def learning_rate(self) -> float:
        """The learning rate there."""
        return self.setting.rate

    def way(self) -> Iterator[Point]:
        """Give this point and those before it, back to the start."""
        at: Point | None = self
        while at is not None:
            yield at
            at = at.before

    def future(self) -> Iterator[Point]:
        """Give the points ahead, on the branches taken last."""
        at = self.ahead
        while at is not None:
            yield at
            at = at.ahead


class History:
    """The tree of points, and where in it the session stands."""

    def __init__(self, start: State) -> None:
        """Stand at `start`, with nothing before or after it."""
        setting = setting_of(start)
        self.points = [Point(0, None, None, start.epoch, start.loss, setting, None)]
        self.here = self.points[0]
        """The point where the session stands, or inside of whose action it does."""

        self.inside = 0
        """How far inside that action, as `GoTo` counts it; 0 at its end."""

        self.lines = 1
        """How many ends the branches have."""

        self._future = list[Point]()
        """What lies ahead, the nearest last."""

    @property
    def position(self) -> int:
        """How many actions lie behind; the one that the session stands inside of counts."""
        return self.here.steps

    @property
    def future(self) -> int:
        """How many lie ahead; the rest of the one that the session stands inside of counts."""
        return len(self._future) + bool(self.inside)

    def point(self, number: int) -> Point:
        """Give a point by its number.

        Raises:
            BadInput: there is none.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self.points):
            raise BadInput(f"there is no point {number!r}: the last one is {len(self.points) - 1}")
        return self.points[number]

    def add(self, action: Action, state: State, notice: Notice | None = None, seconds: float = 0.0) -> Point:
        """Go on to the point that `action` leads to: a new one, or the one that it led to before."""
        here = self.here
        known = next((one for one in here.branches if one.action == action), None)
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
        )
        self.points.append(point)
        self.lines += bool(here.branches)
        here.branches.append(point)
        here.ahead = self.here = point
        self.inside = 0
        self._future.clear()
        return point

    def go(self, point: Point, inside: int = 0) -> None:
        """Stand at a point, or inside its action; its line becomes the one that redo follows."""
        if point.before is self.here and self._future and point is self._future[-1]:
            self._future.pop()
        elif point is self.here.before:
            self._future.append(self.here)
        elif point is not self.here:
            for one in point.way():
                if one.before is not None:
                    one.before.ahead = one
            self._future = [*point.future()][::-1]
        self.here, self.inside = point, inside


def setting_after(before: Point, action: Action | None, state: State) -> Setting:
    """Give the setting of a state that an action led to."""
    chosen = before.setting.chosen + isinstance(action, SetOptimizer)
    return setting_of(state, chosen)


def setting_of(state: State, chosen: int = 0) -> Setting:
    """Give the setting of a state, after so many optimizers were chosen."""
    return Setting(state.learning_rate, state.loop.optimizer, chosen, state.loop.batches)


def _updated_at(before: Point, state: State) -> Setting | None:
    """Give how the epoch under way has updated; None where it has not."""
    if not state.loop.has_updated:
        return None
    return before.setting if before.updated_at is None else before.updated_at
