"""The script's thread, parked at the begin of a round: it runs single statements, or goes on by itself."""

from __future__ import annotations

import linecache
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType
from typing import Any, TypeVar

from gradstep.autograd.expression_text import remember_code
from gradstep.capture.handover import Handover, Report
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.loop_places import Control, Parking
from gradstep.capture.parking.loop_errors import LoopOver, NotTakenBack
from gradstep.capture.process_view import ProcessView
from gradstep.capture.scopes import Scope, compiled_alone
from gradstep.captured_output import Printed
from gradstep.learner_code.places import place_of

T = TypeVar("T")


class ParkedScript:
    """A script that is parked inside its loop.

    Statements of the stepped loop run on the script's own variables, in the script's own thread. Everything
    around them (the loops' heads, `with` and `try` around them, the functions they stand in) is run by the
    script itself when a round is over.
    """

    def __init__(self, hooks: Hooks, handover: Handover, view: ProcessView, printed: Printed) -> None:
        """Take over a script that is parked at the begin of its first round."""
        self._hooks, self._handover, self._view = hooks, handover, view
        self.printed = printed
        """Output of the script so far."""

        self.site = hooks.loop.site
        """The stepped loop."""

        self._codes: dict[int, CodeType] = {}
        self._process = os.getpid()
        self._alive = True
        self._parking: object = Parking.ROUND
        self._is_still_running = False
        """Whether a statement that was interrupted has not ended."""

        self._has_left = False
        """Whether a statement has left its round for good, and the script has come to a new place since."""

        self.failure: BaseException | None = None
        """Exception of the round under way; None if it raised none."""

        self.next_statement = 0
        """Index of the statement that is next in the script's own order."""

        self.over = False
        """Whether the loop is over."""

    @property
    def rounds_done(self) -> int:
        """Rounds of the stepped loop that are over, since the capture."""
        return self._hooks.loop.begun - (not self.over)

    @property
    def drawn(self) -> int:
        """Number of items that the script has drawn so far."""
        return self._hooks.draws.count

    @property
    def names(self) -> Mapping[str, Any]:
        """Objects that the statements can use, by name, local ones first."""
        scope = self._scope
        return {**scope.variables, **scope.names()}

    def value_of(self, name: str) -> object:
        """Return what a name stands for in the present round, or stood for in the last; None if nothing."""
        return self._scope.value_of(name)

    def ask(self, work: Callable[[], T]) -> T:
        """Return the result of a function, called in the script's thread as the script sees the process.

        Raises:
            Interrupted: the learner stopped it.
        """
        with self._view.entered():
            return self._handover.ask(work)

    @property
    def is_at_begin(self) -> bool:
        """Whether the script is parked at the begin of a round, whatever statements have run since."""
        return not self.over and self._parking is Parking.ROUND

    @contextmanager
    def rounds_watched(self, ended: Callable[[], None]) -> Iterator[None]:
        """Call `ended` at the end of each round, in the script's thread, inside the `with` block.

        The end of the last round before the loop is over, or of one that raises, is not seen.
        """
        self._hooks.round_ended = ended
        try:
            yield
        finally:
            self._hooks.round_ended = None

    @contextmanager
    def undisturbed(self, seconds: float) -> Iterator[None]:
        """Hear no interruption inside the `with` block, for some seconds at most."""
        self._handover.deaf_until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._handover.deaf_until = 0.0

    def run_statement(self, index: int, around: AbstractContextManager[object] | None = None) -> Control:
        """Run one statement of the round under way; return how it leaves the round.

        A statement with `yield` or `await` runs together with all that is done until the loop goes on.

        Args:
            index: Index of the statement.
            around: Context manager that is entered and left in the script's own thread.

        Raises:
            LoopOver: the loop is over.
            Interrupted: the learner stopped it.
            BaseException: the statement raised it.
        """
        if self.over:
            raise LoopOver
        around = around or nullcontext()
        if index in self.site.inside:
            return self._run_inside(index, around)

        def work() -> Control:
            with around:
                return self._run_here(index)

        return self.ask(work)

    def _run_inside(self, index: int, around: AbstractContextManager[object]) -> Control:
        """Run one statement in the frame of the loop."""
        self.ask(around.__enter__)
        try:
            control = self._come_back(index)
        except BaseException as error:
            raised = type(error), error, error.__traceback__
            if not self._is_still_running:
                self.ask(lambda: around.__exit__(*raised))
            raise
        self.ask(lambda: around.__exit__(None, None, None))
        return control

    def _come_back(self, index: int) -> Control:
        """Let the script run one statement, and wait until it is parked again."""
        inside, self._hooks.round_exit.control = self._hooks.frames.inside, Control.NEXT
        inside.want(index)
        self._is_still_running = True
        with self._view.entered():
            report = self._handover.go_on()
        self._is_still_running = not report.parked
        if report.parked and report.result is Parking.STATEMENT:
            if inside.error is not None:
                raise inside.error
            self.next_statement = index + 1
            return self._hooks.round_exit.control
        self._has_left, self.next_statement, self.failure = True, 0, None
        self._settle(report)
        return Control.BREAK

    def _run_here(self, index: int) -> Control:
        """Run one statement alone, in the script's own thread."""
        if index not in self._codes:
            self._codes[index] = compiled_alone(self.site, index)
            remember_code(self._codes[index], linecache.getlines(self.site.place.file))
        control = self._stepped(self._codes[index])
        self.next_statement = index + 1
        return control

    def run_round(self, order: Sequence[int] | None = None) -> None:
        """Run what is left of the round under way, and everything up to the begin of the next.

        Args:
            order: Indices of the statements that run, in their order; None for the script's own.
        """
        if order is None and self.next_statement == 0 and self._hooks.can_run_itself:
            self.run(1)
            return
        self.end_round(self._run_rest(order))

    def _run_rest(self, order: Sequence[int] | None) -> Control:
        """Run what is left of the round under way, one statement at a time; return how it is left."""
        control = Control.NEXT
        for index in self.rest(order):
            if (control := self.run_statement(index)) is not Control.NEXT:
                break
        return control

    def end_round(self, control: Control = Control.NEXT) -> None:
        """Leave the round under way, as a statement said, and go on to the begin of the next."""
        if self._has_left:
            self._has_left = False
            return
        if self.over:
            raise LoopOver
        self._hooks.round_exit.leave(control)
        self._go_on(lambda: False)

    def run(self, rounds: int, stopped: Callable[[], bool] = lambda: False) -> int:
        """Run whole rounds at the script's own speed; return how many have run.

        Args:
            rounds: How many rounds; fewer run if the loop is over before.
            stopped: Called before each round; return True to run no more.

        Raises:
            BaseException: a round raised it, and the script does not handle it; `failure` is the same.
        """
        first = self.rounds_done
        if rounds > 0 and not self.over:
            if not (self._hooks.can_run_itself and self.next_statement == 0):
                control = self._run_rest(None)
                if self._has_left:
                    self._has_left = False
                    self.run(rounds - 1, stopped)
                    return self.rounds_done - first
                self._hooks.round_exit.leave(control)
                rounds -= 1
            self._hooks.parker.free_rounds = rounds
            self._go_on(stopped)
        return self.rounds_done - first

    def _seek(self) -> None:
        """Let the script come back to the begin of a round, with nothing that it prints kept."""
        with self._view.entered():
            report = self._handover.go_on()
        if not report.parked or report.result is not Parking.ROUND:
            self._alive = False
            raise NotTakenBack
        self._parking = Parking.ROUND

    @property
    def _scope(self) -> Scope:
        assert self._hooks.loop.scope is not None
        return self._hooks.loop.scope

    def rest(self, order: Sequence[int] | None) -> Sequence[int]:
        """Return the indices of an order of statements; of those left in the script's own if it is None."""
        return range(self.next_statement, len(self.site.place.body)) if order is None else order

    def _stepped(self, code: CodeType) -> Control:
        hooks = self._hooks
        hooks.loop.is_stepping, hooks.round_exit.control = True, Control.NEXT
        try:
            self._scope.run(code)
        except BaseException as error:
            hooks.loop.is_stepping = False
            if not hooks.round_exit.takes(error):
                raise
        finally:
            hooks.loop.is_stepping = False
            if os.getpid() != self._process:
                os._exit(0)  # a copy of the process has no session: whoever made it may wait for its end
        return hooks.round_exit.control

    def _go_on(self, stopped: Callable[[], bool]) -> None:
        self._hooks.parker.stopped = stopped
        self.next_statement, self.failure = 0, None
        try:
            with self._view.entered():
                report = self._handover.go_on()
        finally:
            self._hooks.parker.stopped = lambda: False
        self._settle(report)

    def _settle(self, report: Report) -> None:
        """Take note of what the script has come to, and raise what it raised."""
        self._parking = report.result if report.parked else None
        self._alive = report.parked and report.result is not Parking.ENDED
        self.over = not report.parked or report.result in (Parking.OVER, Parking.ENDED)
        if report.parked and report.result not in (Parking.FAILED, Parking.ENDED):
            return
        self.failure = report.error if not report.parked else self._hooks.parker.error
        if self.failure is not None:
            place = place_of(self.failure)
            here = (s.index for s in self.site.place.body if place is not None and place.line in s.lines)
            self.next_statement = next(here, 0)
            raise self.failure
