"""Travel to any point of a history: by a kept state if there is one, else by repeating actions.

What an action leads to depends on the state before it only, so what is done again comes to the same bits.
Of a long session few states are kept: the latest, and as many as it takes to come to any other one soon.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Generic

from gradstep.actions import Action, RunEpochs, StepTo, ran_by
from gradstep.errors import EngineError
from gradstep.history.tree import Point
from gradstep.loop.loop import Loop
from gradstep.training.apply_action import Perform
from gradstep.training.machine import Machine, S
from gradstep.training.progress import Progress
from gradstep.training.state import weight_together

LATEST: Final = 64
"""Number of recently visited points that keep their state, unless the states are too large."""

LIGHT_BYTES: Final = 12_000_000
"""Below this weight, by `State.weight`, nobody asks what the latest share."""

HEAVY_BYTES: Final = 256_000_000
"""Memory limits of the latest states and of the spread states; of larger states only a few are kept."""

SPREAD_BYTES: Final = 14_000_000
"""Limit on the `State.weight` of all spread states if there are more than `FEWEST`."""

FEWEST: Final = 6
HEAVY_FEWEST: Final = 2
"""Number of states that are kept however large they are."""

SOON: Final = 0.01
"""Seconds that doing actions again may take on the way to a point, as far as the weight allows."""

FAR: Final = 200
"""Largest number of actions to repeat, however quick they are."""

RETOLD: Final = 0.5
"""Seconds that repeating an action may take if it is repeated only because the ledger has dropped it."""


class Travel(Generic[S]):
    """Keeps states of points, and puts statements into the state of any point."""

    def __init__(self, statements: Machine[Any, S], perform: Perform[S], start: Point) -> None:
        """Begin at a session's start, whose state is kept for good."""
        self._statements, self._perform = statements, perform
        self._start = start
        self._first = statements.state
        self._latest: OrderedDict[Point, S] = OrderedDict()
        self._spread: dict[Point, S] = {}
        self._weights = {"latest": 0, "spread": 0}
        self._soon, self._far = SOON, FAR

    def keep(self, point: Point, state: S) -> None:
        """Keep a point's state as the latest one, unless its passes were not recorded."""
        if not state.recorded:
            return
        self._forget_latest(point)
        self._latest[point] = state
        self._weights["latest"] += state.weight
        while len(self._latest) > LATEST or (
            self._weights["latest"] > LIGHT_BYTES and self._are_heavy(self._latest)
        ):
            oldest = next(iter(self._latest))
            self._retire(oldest, self._forget_latest(oldest))

    def held(self, point: Point) -> S | None:
        """Return the state of a point if it is kept, else None."""
        return self._first if point is self._start else self._latest.get(point) or self._spread.get(point)

    def go(self, point: Point) -> None:
        """Put the statements into the state of a point."""
        again, at = list[Point](), point
        while (state := self._kept(at)) is None or (
            at is point and state.written.is_forgotten and at.seconds < RETOLD
        ):
            assert at.before is not None
            again.append(at)
            at = at.before
        self._statements.return_to(state)
        for at in reversed(again):
            self._do_again(at.action)
            self.keep(at, self._statements.state)

    def go_inside(
        self,
        point: Point,
        inside: int,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> int:
        """Put the statements into the state in the middle of the action that led to a point.

        Returns:
            Epochs or events of the action that are done; fewer than `inside` if `stopped` returned True.
        """
        assert point.before is not None
        self.go(point.before)
        ended = self._perform(part_of(point.action, inside), self._first, stopped, tell)
        return inside if ended.stopped_after is None else ended.stopped_after

    def go_to_epoch(
        self,
        point: Point,
        epoch: int,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> int:
        """Put the statements into the state after a number of epochs on the way to a point.

        Returns:
            Epochs that are done; fewer than `epoch` if `stopped` returned True.
        """
        if not epoch:
            self.go(self._start)
            return 0
        at = next(
            passed
            for passed in point.way()
            if passed.before is None or passed.before.epoch < epoch <= passed.epoch
        )
        if at.before is None or at.epoch == epoch:
            self.go(at)
            return at.epoch
        return self.go_into_run(at, epoch, stopped, tell)

    def go_into_run(
        self,
        point: Point,
        epoch: int,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> int:
        """Do the same if the action that led to a point had run that many epochs on its way."""
        assert point.before is not None
        behind = point.before.epoch + self.left_behind(point)
        if epoch <= behind:  # that epoch was over before the action, though nobody could tell yet
            self.go(point.before)
            return epoch
        return behind + self.go_inside(point, epoch - behind, stopped, tell)

    def left_behind(self, point: Point) -> int:
        """Return 1 if the action that led to a point ended an epoch that an earlier action began, else 0.

        The statements may be in another state afterwards.
        """
        before = point.before
        if before is None or before.updated_at is None:
            return 0
        if point.action is None or not isinstance(ran_by(point.action), RunEpochs):
            return point.epoch - before.epoch - 1
        self.go(before)
        loop = self._statements.state.loop
        return loop.ended_by_rest() - 1 if isinstance(loop, Loop) else 0

    def _do_again(self, action: Action | None) -> None:
        assert action is not None
        with suppress(EngineError):  # what was refused then is refused again, and leaves the same
            self._perform(action, self._first)

    def _kept(self, point: Point) -> S | None:
        state = self.held(point)
        if point is self._start:
            return state
        return state if state is not None and self._statements.can_return_to(state) else None

    def _forget_latest(self, point: Point) -> S | None:
        state = self._latest.pop(point, None)
        self._weights["latest"] -= 0 if state is None else state.weight
        return state

    def _retire(self, point: Point, state: S | None) -> None:
        """Keep the state of a point that leaves the latest ones, if repeating its actions would take long."""
        if state is None or point in self._spread or self._is_soon(point):
            return
        self._spread[point] = state
        self._weights["spread"] += state.weight
        while self._weights["spread"] > SPREAD_BYTES and (
            len(self._spread) > FEWEST or self._are_heavy(self._spread)
        ):
            self._thin()

    def _are_heavy(self, states: Mapping[Point, S]) -> bool:
        return len(states) > HEAVY_FEWEST and weight_together(states.values()) > HEAVY_BYTES

    def _is_soon(self, point: Point) -> bool:
        """Return whether a point can be reached from the spread states alone by repeating little."""
        seconds = 0.0
        for steps, at in enumerate(point.way()):
            if at is self._start or (at is not point and at in self._spread):
                return True
            seconds += at.seconds
            if seconds > self._soon or steps > self._far:
                return False
        return True

    def _thin(self) -> None:
        """Let the way to a point take longer, and let go of the states that are not missed then."""
        self._soon *= 2
        self._far *= 2
        spread, self._spread = self._spread, {}
        self._weights["spread"] = 0
        for (
            point,
            state,
        ) in spread.items():  # ways build on those kept earlier
            if not self._is_soon(point):
                self._spread[point] = state
                self._weights["spread"] += state.weight


def part_of(action: Action | None, inside: int) -> Action:
    """Return the action that does as much of `action` as `GoTo.inside` says."""
    is_run = action is not None and isinstance(ran_by(action), RunEpochs)
    return RunEpochs(inside) if is_run else StepTo(inside)
