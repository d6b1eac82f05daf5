"""A learner's own training loop, parked at the begin of a round: statements run one by one or by rounds."""

from __future__ import annotations

import linecache
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any, TypeVar

from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from gradstep.autograd.expression_text import remember_code
from gradstep.capture.effects import Effects, Observed, Seen, effects_between
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.capture.handover import Handover, Report
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.loop_moments import LoopMoment, can_return_to, moment_of, return_to
from gradstep.capture.loop_places import Control, LoopKind, LoopPlace, Parking, Position, StatementPlace
from gradstep.capture.obstacles import Fact, Noticed
from gradstep.capture.process_view import ProcessView
from gradstep.capture.rounds.keepsake import NO_COPIES
from gradstep.capture.scopes import Scope, compiled_alone
from gradstep.capture.sites import Site
from gradstep.captured_output import Printed
from gradstep.errors import EngineError
from gradstep.learner_code.forks import ForkWatch
from gradstep.learner_code.places import place_of
from gradstep.loop.roles import Role

T = TypeVar("T")


class LoopOver(EngineError):  # noqa: N818 - named after what happened
    """The loop is over, so nothing of it can run."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__("the script's loop is over")


class NotTakenBack(EngineError):  # noqa: N818 - named after what happened
    """The script cannot be taken back into its loop."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__("the script cannot be taken back into its loop")


@dataclass(frozen=True, slots=True)
class Watched:
    """One statement that ran while it was watched."""

    control: Control
    effects: Effects
    passes: tuple[tuple[Tensor, ...], ...]
    """The tensors that each `backward` in it differentiated."""


class CapturedLoop:
    """The loops around a script's first `backward`, with the script parked inside them.

    Statements of the innermost loop run on the script's own variables, in the script's own thread. Everything
    around them (the loops' heads, `with` and `try` around them, the functions they stand in) is run by the
    script itself when a round is over.
    """

    def __init__(
        self, sites: Sequence[Site], hooks: Hooks, handover: Handover, view: ProcessView, printed: Printed
    ):
        """Take over a script that is parked at the begin of its first round."""
        self._hooks, self._handover, self._view = hooks, handover, view
        self._site = sites[hooks.loop.chain[-1]]
        self._codes: dict[int, CodeType] = {}
        self._process = os.getpid()
        self._alive = True
        self._parking: object = Parking.ROUND
        self._is_still_running = False
        """Whether a statement that was interrupted has not ended."""

        self._has_left = False
        """Whether a statement has left its round for good, and the script has come to a new place since."""

        self.printed = printed
        """Output of the script so far."""

        self._numbers = _shown(sites, hooks.loop.chain)
        places = [sites[number].place for number in self._numbers]
        places[-1] = replace(places[-1], body=self._site.place.body)
        self.loops: tuple[LoopPlace, ...] = tuple(places)
        """The loops, outermost first; the last is the one that is stepped."""

        hands_out = (Noticed(Fact.HANDS_OUT),) * hooks.handings.are_watched
        lost = (Noticed(Fact.NOT_PUT_BACK, name) for name in hooks.lost_names)
        self.first_facts: tuple[Noticed, ...] = (*lost, *hands_out)
        """Peculiarities of the script until its loop was found."""

        self.modules: dict[str, str] = {}
        """Text of each module beside the script that it has imported, by the module's file."""

        self.failure: BaseException | None = None
        """Exception of the round under way; None if it raised none."""

        self.next_statement = 0
        """Index of the statement that is next in the script's own order."""

        self.over = False
        """Whether the loop is over."""

        self.runs = 1
        """How often the script ran to find the loop."""

        self.forks = ForkWatch(())
        """Knows whether the script has made copies of the process."""

        self.started_in = ""
        """Folder in which the script began."""

    @property
    def facts(self) -> tuple[Noticed, ...]:
        """Peculiarities of the script so far, such as what could not be put back."""
        forked = (Noticed(Fact.FORKED),) * self.forks.has_forked
        again = (Noticed(Fact.RAN_AGAIN, str(self.runs)),) * (self.runs > 1 and not self.hands_out)
        return (*self.first_facts, *forked, *again)

    @property
    def statements(self) -> tuple[StatementPlace, ...]:
        """Statements of the stepped loop."""
        return self.loops[-1].body

    @property
    def position(self) -> Position:
        """Where the loop stands."""
        rounds = tuple(self._hooks.loop.counts.get(number, 0) for number in self._numbers)
        return Position(rounds, self._hooks.loop.begun - (not self.over), self.over)

    @property
    def earlier_rounds(self) -> int:
        """Number of rounds of the stepped loop before the one of the capture; they ran no `backward`."""
        return self._hooks.search.begun.get(self._hooks.loop.chain[-1], 1) - 1

    @property
    def names(self) -> Mapping[str, Any]:
        """Objects that the statements can use, by name, local ones first."""
        scope = self._scope
        return {**scope.variables, **scope.names()}

    def ask(self, work: Callable[[], T]) -> T:
        """Return the result of a function, called in the script's thread as the script sees the process.

        Raises:
            Interrupted: the learner stopped it.
        """
        with self._view.entered():
            return self._handover.ask(work)

    @property
    def hands_out(self) -> bool:
        """Whether generators or coroutines are around the loop, which goes back in its round only."""
        return self._hooks.handings.are_watched

    @property
    def is_overtaken(self) -> bool:
        """Whether a new round has begun while a statement of another waited: then that one ran by itself."""
        return self._hooks.frames.overtaken.count > 0

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
        if index in self._site.inside:
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
            self._codes[index] = compiled_alone(self._site, index)
            remember_code(self._codes[index], linecache.getlines(self._site.place.file))
        control = self._stepped(self._codes[index])
        self.next_statement = index + 1
        return control

    def watch_statement(self, index: int) -> Watched:
        """Run one statement as `run_statement` does, and observe what it does."""
        seen, passes = Seen(), list[tuple[Tensor, ...]]()
        draws, printed, before = self._hooks.draws.count, self.printed.count, Observed(self.names)

        def count(made: ComingPass) -> None:
            seen.passes += made.accumulates
            if made.accumulates:
                passes.append(made.outputs)

        with watched(count), _calls_counted(seen):
            control = self.run_statement(index)
        if index not in self._site.inside:  # else who asked for values draws them
            seen.draws = self._hooks.draws.count - draws
        seen.printed = self.printed.count - printed
        return Watched(control, effects_between(before, Observed(self.names), seen), tuple(passes))

    def watch_round(self, order: Sequence[int] | None = None) -> dict[int, Effects]:
        """Run one round statement by statement; return what each statement that ran did, by its index.

        Args:
            order: Indices of the statements that run, in their order; None for the script's own.
        """
        found: dict[int, Effects] = {}
        made: dict[int, int] = {}
        control = Control.NEXT
        for index in self._rest(order):
            known = set(map(id, self.names.values()))
            ran = self.watch_statement(index)
            made.update(
                {id(v): index for v in self.names.values() if isinstance(v, Tensor) and id(v) not in known}
            )
            found[index], control = ran.effects, ran.control
            for loss in (output for outputs in ran.passes for output in outputs):
                if (maker := made.get(id(loss))) is not None and maker in found:
                    found[maker] = Effects(found[maker].roles | {Role.LOSS}, found[maker].changed)
            if control is not Control.NEXT:
                break
        self.end_round(control)
        return found

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
        for index in self._rest(order):
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
        first = self.position.done
        if rounds > 0 and not self.over:
            if not (self._hooks.can_run_itself and self.next_statement == 0):
                control = self._run_rest(None)
                if self._has_left:
                    self._has_left = False
                    self.run(rounds - 1, stopped)
                    return self.position.done - first
                self._hooks.round_exit.leave(control)
                rounds -= 1
            self._hooks.parker.free_rounds = rounds
            self._go_on(stopped)
        return self.position.done - first

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

    def value_of(self, name: str) -> object:
        """Return what a name stands for in the present round, or stood for in the last; None if nothing."""
        return self._scope.value_of(name)

    def keep(self, copies: Mapping[int, Tensor] = NO_COPIES) -> LoopMoment:
        """Return the present begin of a round, for `go_back`; no statement of the round may have run.

        Args:
            copies: Copies that exist, by `id` of the tensor; one that has the tensor's bits is shared.
        """
        assert self.is_at_begin
        assert self.next_statement == 0
        with self._view.entered():
            return moment_of(self._hooks, self.printed, copies)

    def can_go_back(self, moment: LoopMoment) -> bool:
        """Return whether the loop can go back to a moment that it kept, or whether too much was forgotten."""
        return self._alive and can_return_to(moment, self._hooks)

    def go_back(self, moment: LoopMoment) -> tuple[str, ...]:
        """Go back to the begin of a round that was kept.

        Names, numbers, items, random generators and what was printed are as they were; files that the script
        has written since, for example, stay.

        Returns:
            Names of objects that could not be put back.

        Raises:
            NotTakenBack: the script could not be taken back into its loop, and is of no more use.
        """
        if self._hooks.handings.since(moment.handed):
            raise NotTakenBack
        if not self.is_at_begin:
            self._hooks.parker.seek()
            self._seek()
        with self._view.entered():
            lost = return_to(moment, self._hooks, self.printed)
        self.next_statement, self.failure, self.over = 0, None, False
        return tuple(lost)

    @property
    def is_exact(self) -> bool:
        """Whether all items and random numbers since the capture were those of the script by itself."""
        return self._hooks.draws.is_exact

    @property
    def is_at_begin(self) -> bool:
        """Whether the script is parked at the begin of a round, whatever statements have run since."""
        return not self.over and self._parking is Parking.ROUND

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

    def _rest(self, order: Sequence[int] | None) -> Sequence[int]:
        return range(self.next_statement, len(self.statements)) if order is None else order

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
            here = (s.index for s in self.statements if place is not None and place.line in s.lines)
            self.next_statement = next(here, 0)
            raise self.failure


def _shown(sites: Sequence[Site], chain: Sequence[int]) -> Sequence[int]:
    """Return the loops without those that are none, which stand for what a `with` or an `if` holds."""
    return [number for number in chain if sites[number].place.kind is not LoopKind.NONE] or chain


def _calls_counted(seen: Seen) -> AbstractContextManager[None]:
    @contextmanager
    def counted() -> Any:
        def called(module: Any, inputs: Any, output: Any) -> None:
            seen.calls_without_graph += isinstance(output, Tensor) and output.grad_fn is None

        handle = register_module_forward_hook(called)
        try:
            yield
        finally:
            handle.remove()

    return counted()
