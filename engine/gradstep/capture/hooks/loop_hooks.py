"""The object that instrumented files call."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from gradstep.capture.draws import Draws
from gradstep.capture.engine_watch import ComingPass
from gradstep.capture.handover import Handover
from gradstep.capture.hooks.drawing_calls import DrawingCalls
from gradstep.capture.hooks.inside_calls import InsideCalls
from gradstep.capture.hooks.leaving_calls import LeavingCalls
from gradstep.capture.hooks.loop_search import LoopSearch
from gradstep.capture.hooks.parker import Parker, Rewind
from gradstep.capture.hooks.round_exit import RoundExit
from gradstep.capture.hooks.stepped_frames import SteppedFrames
from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Parking
from gradstep.capture.sites import Site
from gradstep.capture.suspending.handings import Handings
from gradstep.capture.suspending.statements_inside import StatementsInside, tells_to_end
from gradstep.captured_output import Printed
from gradstep.learner_code.interruption import Interrupted


class Hooks:
    """All calls of instrumented files; every one but `seen` runs in the script's thread.

    Those at the begins and ends of rounds are here. Many look at the frame of the script that makes the call,
    so instrumented files call them directly.
    """

    Rewind = Rewind

    def __init__(
        self, sites: list[Site], handover: Handover, own_modules: set[str], printed: Printed
    ) -> None:
        """Make the hooks of a script that has not begun.

        Args:
            sites: All loops, by number; more are added as modules are imported.
            handover: The script's thread.
            own_modules: Names of the learner's modules.
            printed: What the script has printed.
        """
        self.own_modules = own_modules
        """Names of the learner's modules."""

        self.draws, self.handings = Draws(), Handings()
        self.loop = loop = SteppedLoop(sites)
        self.parker = parker = Parker(loop, handover, self.draws)
        self.round_exit = RoundExit(loop)
        self.frames = SteppedFrames(StatementsInside(parker.park, self.round_exit.takes))
        self.search = LoopSearch(sites, own_modules, printed, handover, self.draws, self.handings)
        self.can_run_itself = False
        """Whether the script itself can run the round that it is parked at, as a whole."""

        self.round_ended: Callable[[], None] | None = None
        """Called at each round's begin while the scope is that of the round before; None if nothing is."""

        self.lost_names: list[str] = []
        """Names of objects that could not be put back when the loop was found."""

        self._rewinds = self._waits = False
        self._names: FunctionType
        self._add_calls()

    def _add_calls(self) -> None:
        self.at = self.search.statements.at
        drawing = DrawingCalls(self.loop, self.parker, self.round_exit, self.draws, self.handings)
        self.items, self.test, self.stream = drawing.items, drawing.test, drawing.stream
        self.once, self.next = drawing.once, drawing.next
        leaving = LeavingCalls(self.loop, self.parker, self.round_exit, self.frames, self.handings)
        self.breaks, self.returns, self.value = leaving.breaks, leaving.returns, leaving.value
        self.leaves, self.continues, self.returning = leaving.leaves, leaving.continues, leaving.returning
        inside = InsideCalls(self.loop, self.parker, self.round_exit, self.frames)
        self.next_inside, self.runs_inside = inside.next_inside, inside.runs_inside
        self.caught_inside, self.fails_inside = inside.caught_inside, inside.fails_inside

    # Calls of instrumented files

    def enters(self, number: int) -> None:
        """Note that a loop is about to begin."""
        self.loop.counts[number] = 0
        self.loop.under_way[number] += 1

    def exits(self, number: int) -> None:
        """Note that a frame that can be left has ended a loop."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        self.loop.under_way[number] -= 1
        self.search.end_loop(number, frame)
        if self.loop.is_stepped(number):
            self.frames.forget(frame)

    def hands(self, value: Any = None) -> Any:
        """Note that the calling function hands control on; return what it yields or awaits."""
        self.handings.note(inspect.currentframe().f_back)  # type: ignore[union-attr]
        return value

    def head(self, number: int, names: FunctionType) -> bool:
        """Begin a round; return whether the script itself shall run it."""
        loop = self.loop
        loop.counts[number] = loop.counts.get(number, 0) + 1
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if not loop.chain and not self._opens_at(number, names, frame):
            return True
        if number not in loop.chain or loop.is_stepping or loop.is_in_copy:
            return True
        if number != loop.chain[-1]:
            loop.scopes[number] = loop.scope_in(number, names, frame)
            return True
        if loop.sites[number].yields:
            self.frames.overtake(loop.scope)
            self.frames.follow(frame)
        loop.begun += 1
        self._names = names
        if self.round_ended is not None:
            self.round_ended()
            loop.enter_scope(number, names, frame)
        if self.parker.seeks:
            self.parker.found()
        elif self.parker.runs_on():
            return True
        self.parker.free_rounds = 0
        loop.enter_scope(number, names, frame)
        self.can_run_itself = True
        self.parker.park(Parking.ROUND)
        self.can_run_itself = False
        return self._runs_itself()

    def caught(self, number: int) -> type[BaseException] | tuple[()]:
        """Return the exceptions that a loop catches for gradstep."""
        loop = self.loop
        if number not in loop.chain or loop.is_stepping or loop.is_in_copy:
            return ()
        if self._rewinds or self.parker.seeks:
            return Rewind
        frame = inspect.currentframe()
        if number == loop.chain[-1] and self.frames.runs_rounds(frame and frame.f_back):
            return BaseException
        return GeneratorExit if number == loop.chain[0] else ()

    def lost(self, number: int) -> bool:
        """Park the script after an exception in its round; return whether the script shall have it."""
        if self._rewinds:
            if number == self.loop.chain[-1]:
                self._begin_anew(number)
            return number != self.loop.chain[-1]
        if self.parker.seeks:
            return False
        error = sys.exception()
        if isinstance(error, GeneratorExit):
            self.parker.closed(number)
        if tells_to_end(error) or (not isinstance(error, Interrupted) and self.loop.is_handled(number)):
            return True
        if isinstance(error, SystemExit):
            self.parker.over()
            return False
        self.parker.error, self.parker.free_rounds = error, 0
        self.loop.enter_scope(number, self._names, inspect.currentframe().f_back)  # type: ignore[union-attr]
        self.parker.park(Parking.FAILED)
        self.parker.error, self.round_exit.is_done = None, False
        return False

    def waits(self, number: int) -> None:
        """Park the script at the begin of its first round."""
        if self._waits or (self.parker.seeks and number == self.loop.chain[-1]):
            self._waits = False
            self.parker.found()
            if self.loop.sites[number].yields:
                self.frames.follow(inspect.currentframe().f_back)  # type: ignore[union-attr]
            self.parker.park(Parking.ROUND)
            self.round_exit.is_done = False

    # Calls of autograd's engine, and at the end of the script

    def seen(self, made: ComingPass) -> None:
        """Look for the loop in which the first `backward` runs, and go back to its head.

        Raises:
            Rewind: it was found.
        """
        if self.loop.chain or self.loop.is_in_copy:
            return
        if chain := self.search.chain_of(made):
            self.loop.chain, self._rewinds = chain, True
            raise Rewind

    def ended(self, error: BaseException | None) -> None:
        """Park the script for good at its very end, if a statement runs in a frame that is left."""
        if self.handings.are_watched and not self.loop.is_in_copy:
            self.parker.ended(error)

    def _opens_at(self, number: int, names: FunctionType, frame: FrameType | None) -> bool:
        """Remember a round before the loop was found; return whether it is the first that is stepped."""
        loop = self.loop
        self.search.begin_round(number, loop.scope_in(number, names, frame), loop.counts[number], frame)
        chain = self.search.opens_at(number, frame)
        if not chain:
            return False
        loop.chain, loop.scopes = chain, self.search.scopes(chain)
        self.search.end()
        return True

    def _begin_anew(self, number: int) -> None:
        self._rewinds, self._waits, self.loop.begun = False, True, 1
        self.loop.scopes = self.search.scopes(self.loop.chain)
        self.loop.scope = self.loop.scopes[number]
        self.lost_names = self.search.put_back(number)
        self.search.end()

    def _runs_itself(self) -> bool:
        if self.frames.inside.wanted is not None or self.round_exit.take_done():
            return False
        self.parker.free_rounds = max(0, self.parker.free_rounds - 1)
        return True
