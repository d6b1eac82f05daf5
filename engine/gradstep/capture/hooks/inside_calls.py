"""Calls at statements that hold `yield` or `await`, which the loop's own frame runs one at a time."""

from __future__ import annotations

import inspect
import sys

from gradstep.capture.hooks.parker import Parker
from gradstep.capture.hooks.round_exit import RoundExit
from gradstep.capture.hooks.stepped_frames import SteppedFrames
from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Control
from gradstep.capture.scopes import Scope, compiled_alone


class InsideCalls:
    """The calls in the loop that stands behind the script's own round, and runs single statements."""

    def __init__(
        self, loop: SteppedLoop, parker: Parker, round_exit: RoundExit, frames: SteppedFrames
    ) -> None:
        """Make the calls of a script that has not begun."""
        self._loop, self._parker, self._exit, self._frames = loop, parker, round_exit, frames

    def next_inside(self, number: int) -> bool:
        """Return whether the frame itself shall run a statement."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if number != self._loop.chain[-1]:
            return False
        overtaken = self._frames.overtaken
        if overtaken.has(frame):
            control = overtaken.run_rest(frame, self._loop.sites[number], self._run_alone)
            self._exit.follow(control)
            return control is None
        if self._frames.inside.next():
            return True
        self._exit.is_done = False
        return False

    def runs_inside(self, number: int, index: int) -> bool:
        """Return whether a statement is the one that the frame itself shall run."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if self._frames.overtaken.has(frame):
            return self._frames.overtaken.is_at(frame, index)
        return self._frames.inside.running == index

    def caught_inside(self, number: int) -> type[BaseException] | tuple[()]:
        """Return the exceptions that a statement in the frame itself may raise."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        return BaseException if self._frames.is_inside(frame) else ()

    def fails_inside(self, number: int) -> bool:
        """Take note of what such a statement raised; return whether the frame shall have it at once."""
        if isinstance(sys.exception(), GeneratorExit):
            self._parker.closed(number)
        return self._frames.inside.fails()

    def _run_alone(self, scope: Scope, index: int) -> Control:
        """Run one statement of an overtaken round."""
        before, self._exit.control, self._loop.is_stepping = self._exit.control, Control.NEXT, True
        try:
            scope.run(compiled_alone(self._loop.site, index))
            return self._exit.control
        finally:
            self._exit.control, self._loop.is_stepping = before, False
