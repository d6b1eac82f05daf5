"""Calls at `break`, `continue` and `return`, and behind a round that statements run alone have left."""

from __future__ import annotations

import inspect
from types import FrameType
from typing import Any

from gradstep.capture.hooks.parker import Parker, Rewind
from gradstep.capture.hooks.round_exit import RoundExit
from gradstep.capture.hooks.stepped_frames import SteppedFrames
from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Control
from gradstep.capture.suspending.handings import Handings


class LeavingCalls:
    """The calls through which a round, a loop or a function is left."""

    def __init__(
        self,
        loop: SteppedLoop,
        parker: Parker,
        round_exit: RoundExit,
        frames: SteppedFrames,
        handings: Handings,
    ) -> None:
        """Make the calls of a script that has not begun."""
        self._loop, self._parker, self._exit = loop, parker, round_exit
        self._frames, self._handings = frames, handings

    def breaks(self, number: int) -> bool:
        """Return whether the loop was left by a `break` that ran alone, or raise what a statement raised."""
        if number != self._loop.chain[-1]:
            return False
        if (error := self._exit.take_error()) is not None:
            if not isinstance(error, SystemExit):
                raise error
            self._parker.over()
        if not self._exit.take_break():
            return False
        self.leaves(number)
        return True

    def returns(self, number: int) -> bool:
        """Return whether the function was left by a `return` that ran alone."""
        if number != self._loop.chain[-1] or not self._exit.take_return():
            return False
        self.returning(number, self._exit.result)
        return True

    def value(self, number: int) -> Any:
        """Return the value of the `return` that ran alone."""
        return self._exit.result

    def leaves(self, number: int) -> None:
        """Park the script for good before it leaves its outermost loop."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if self._notes_overtaken(number, frame, Control.BREAK):
            return
        if self._loop.is_stepping or self._is_inside(number, frame):
            if number == self._loop.chain[-1]:
                self._exit.control = Control.BREAK
        elif self._loop.is_outermost(number) and self._parker.ends():
            raise Rewind

    def continues(self, number: int) -> None:
        """Note a `continue`."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if self._notes_overtaken(number, frame, Control.CONTINUE):
            return
        is_alone = self._loop.is_stepping and number == self._loop.chain[-1]
        if is_alone or self._is_inside(number, frame):
            self._exit.control = Control.CONTINUE

    def returning(self, number: int, value: object) -> object:
        """Return the value of a `return` inside a loop; park for good if it leaves the outermost loop."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        chain, around = self._loop.chain, self._loop.with_outer(number)
        if self._loop.is_stepping:
            if chain[-1] in around:
                self._exit.control, self._exit.result = Control.RETURN, value
        elif any(self._is_inside(loop, frame) for loop in around):
            self._exit.control = Control.RETURN
            self._handings.cut_off()
            self._frames.inside.leave()
            self._exit.forget_return()
            if chain[0] in around:
                self._parker.ends()
        elif chain and chain[0] in around and self._parker.ends():
            raise Rewind
        return value

    def _is_inside(self, number: int, frame: FrameType | None) -> bool:
        """Return whether a statement that runs in the frame of the stepped loop makes a call."""
        return self._loop.is_stepped(number) and self._frames.is_inside(frame)

    def _notes_overtaken(self, number: int, frame: FrameType | None, control: Control) -> bool:
        """Note how a statement of an overtaken round leaves it; return whether one makes the call."""
        if self._loop.is_stepping or not self._loop.is_stepped(number):
            return False
        return self._frames.notes(frame, control)
