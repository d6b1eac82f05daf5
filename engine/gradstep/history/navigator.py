"""Navigation in a session's history: the statements and the tree of points move together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic

from gradstep.actions import Action, Answer, GoTo, Redo, RunEpochs, Undo
from gradstep.errors import EngineError
from gradstep.history.checkpoints import Travel, part_of
from gradstep.history.substeps import Inside, not_inside, room_in
from gradstep.history.tree import History, Point
from gradstep.history.what_happened import happening_of
from gradstep.notices import InsideAction, Notice, NotRepeatable
from gradstep.training.apply_action import Perform
from gradstep.training.epochs import Ended
from gradstep.training.machine import Machine, S
from gradstep.training.progress import Progress

RECORDING = 4
"""About how many times as long an action takes when its passes are recorded."""


class Walk(Generic[S]):
    """Stands at a point of the history, or inside the action that led there."""

    def __init__(
        self, statements: Machine[Any, S], perform: Perform[S], tell: Callable[[Progress], None]
    ) -> None:
        """Begin with the state that the statements are in.

        Args:
            statements: Machine that runs statements.
            perform: Applies an action to it.
            tell: Called with the progress of a run.
        """
        self._statements, self._start, self._tell = statements, statements.state, tell
        self._perform = perform
        self.history = History(self._start)
        self.travel = Travel(statements, perform, self.history.here)
        self.notice: Notice | None = None
        """Notice of the last action; None if there is none."""

        self._unsteady_told = False

    def line(self) -> tuple[Action, ...]:
        """Return the actions that lead from the start to the present point, without undone actions."""
        here, inside = self.history.here, self.history.inside
        done = [point.action for point in here.way() if point.action is not None][::-1]
        return tuple([*done[:-1], part_of(here.action, inside)] if inside else done)

    def room(self, number: int) -> Inside | None:
        """Return the places inside the action that led to a point; None if there are none.

        Raises:
            BadInput: there is no such point.
        """
        point = self.history.point(number)
        with self._statements.borrowed():
            return room_in(self._statements, self.travel, point)

    def do(self, action: Action, stopped: Callable[[], bool]) -> Action:
        """Do it, and give what came of it: of a run that was stopped, the run of the epochs that ended."""
        here = self.history.here
        match action:
            case Undo():
                assert here.before is not None
                self._go(here.before)
            case Redo():
                self._go(here if self.history.inside else next(here.future()))
            case GoTo():
                return self._go_to(action, stopped)
            case _:
                return self._do(action, stopped)
        return action

    def _go(self, point: Point) -> None:
        self.travel.go(point)
        self.history.go(point)
        self.notice = self._once_more(point.notice)

    def _go_to(self, action: GoTo, stopped: Callable[[], bool]) -> Action:
        point, before = self.history.point(action.point), self._statements.state
        if not action.inside:
            self._go(point)
            return action
        room = self.room(point.number)
        if room is None or action.inside not in room.places:
            raise not_inside(action, room)
        try:
            inside = self.travel.go_inside(point, action.inside, stopped, self._tell)
        except EngineError:
            self._statements.return_to(before)
            raise
        self.history.go(point, inside)
        last = room.places[-1] + 1
        self.notice = InsideAction(room.unit, inside, last)
        return GoTo(action.point, inside)

    def _do(self, action: Action, stopped: Callable[[], bool]) -> Action:
        before, began = self._statements.state, time.perf_counter()
        try:
            ended = self._perform(action, self._start, stopped, self._tell)
        except EngineError:
            self._arrive(before, action, Ended(), began)
            raise
        if ended.stopped_after is not None:
            action = RunEpochs(ended.stopped_after)
        self._arrive(before, action, ended, began)
        return action

    def _arrive(self, before: S, action: Action, ended: Ended, began: float) -> None:
        """Add a point for the present state if the state has changed."""
        now = self._statements.state
        if now is before:
            return
        self._branch_off(before)
        seconds = time.perf_counter() - began
        if not now.recorded:
            seconds *= RECORDING  # what doing it again takes
        happening = happening_of(before, action, now)
        prediction = now.answered if isinstance(action, Answer) else None
        point = self.history.add(action, now, ended.notice, seconds, happening, prediction)
        self.travel.keep(point, now)
        self.notice = self._once_more(ended.notice)

    def _once_more(self, notice: Notice | None) -> Notice | None:
        """Return the notice; without a notice, return once that the model cannot be repeated."""
        if notice or self._unsteady_told or self._statements.is_steady:
            return notice
        self._unsteady_told = True
        return NotRepeatable()

    def _branch_off(self, state: S) -> None:
        """Add a point for the part of an action inside which the session stands, if it stands inside one."""
        here, inside = self.history.here, self.history.inside
        if inside:
            assert here.before is not None
            self.history.go(here.before)
            part = part_of(here.action, inside)
            point = self.history.add(part, state, happening=happening_of(state, part, state))
            self.travel.keep(point, state)
