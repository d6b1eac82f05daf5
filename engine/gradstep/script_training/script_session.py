"""A session on a script's own loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from gradstep.actions import Action, RefusalKey, checked_rate
from gradstep.analysis.batch_check import BatchCheck
from gradstep.analysis.comparison import Comparison, Side, compare
from gradstep.analysis.gradient_check import GradientCheck
from gradstep.analysis.loop_verdict import Verdict
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.obstacles import Fact, Noticed
from gradstep.errors import Refused, Stopped
from gradstep.history.tree import Point
from gradstep.loop.script_loop import ScriptLoop, ScriptStatement
from gradstep.loop.script_names import Spelling
from gradstep.pictures.pictures import Pictures
from gradstep.problem import ScriptProblem
from gradstep.reasons import Reason, Refusal
from gradstep.script_training.probe import Probed, probe
from gradstep.script_training.script_actions import ScriptPerform
from gradstep.script_training.script_branches import ScriptBranches
from gradstep.script_training.script_names_found import found_in, set_rate_in
from gradstep.script_training.script_pictures import ScriptPictures
from gradstep.script_training.script_refusals import RATES, script_refusal, script_refusals
from gradstep.script_training.script_state import ScriptState
from gradstep.script_training.script_statements import ScriptStatements, placed
from gradstep.script_training.script_trainer import Reopen, ScriptTrainer
from gradstep.script_training.script_twin import Rates, ScriptTwin
from gradstep.scripts.source import digest_of
from gradstep.session import Session
from gradstep.statement_steps.statement_facts import About
from gradstep.training.apply_action import Perform


class ScriptSession(Session):
    """Steps the loop of a script by actions and can return to any earlier state, bit for bit."""

    def __init__(
        self,
        name: str,
        loop: CapturedLoop,
        reopen: Reopen,
        notes: tuple[str, ...] = (),
        rate: float | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start at the begin of the loop's first round.

        Args:
            name: Name of the problem.
            loop: The script's loop; the session owns it from now on.
            reopen: Runs the script anew up to its loop.
            notes: Remarks on how the script was read, a sentence each.
            rate: Learning rate to set before the first round; None for the script's own.
            stopped: Polled while the first rounds are looked at; return True to look no further.

        Raises:
            BadInput: `rate` is not a positive finite number.
        """
        seen = probe(loop, stopped)
        overtakes = (Noticed(Fact.OVERTAKES),) * loop.is_overtaken
        if seen.lost is None:
            loop = reopen(stopped)
        if rate is not None:
            set_rate_in(loop.names, checked_rate(rate))
        found = found_in(loop.names)
        problem = ScriptProblem(
            name=name,
            parameters=dict(found.parameters),
            labels={name: ((),) * tensor.dim() for name, tensor in found.parameters.items()},
            printed=loop.printed,
            notes=notes,
            loss_name=seen.loss_name,
        )
        trainer = ScriptTrainer(problem, loop, partial(_opened_again, reopen, rate))
        optimizers = tuple(dict.fromkeys(type(optimizer).__name__ for optimizer in found.optimizers))
        start = ScriptState(trainer.snapshot(), _script_loop(loop, seen, optimizers), trainer.rate)
        statements = ScriptStatements(trainer, start)
        self._script = statements
        self._begin(problem, statements, ScriptPerform(statements))
        self._twin = ScriptTwin(statements, statements.state)
        lost = (Noticed(Fact.NOT_PUT_BACK, name) for name in seen.lost or ())
        self._probed = (*overtakes, *lost)
        self.facts = (*loop.facts, *self._probed)
        self.modules = {Path(file).name: digest_of(text.encode()) for file, text in loop.modules.items()}
        self.oddities = seen.inspection.oddities

    def do(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> None:
        """Apply an action as any session does."""
        try:
            super().do(action, stopped)
        finally:
            self.facts = (*self.loop.facts, *self._probed)

    def _branches(self, perform: Perform[ScriptState]) -> ScriptBranches:
        """Return what runs statements of the script and takes them back."""
        return ScriptBranches(
            lambda: self.problem, self._script, perform, lambda: [noticed.fact for noticed in self.facts]
        )

    @property
    def problem(self) -> ScriptProblem:
        """What the script trains."""
        return self._script.trainer.problem

    @property
    def loop(self) -> CapturedLoop:
        """The script's loop itself."""
        return self._script.trainer.loop

    @property
    def spelling(self) -> Spelling:
        """Names of a loop, of which only that of the loss function has a meaning here."""
        return Spelling(self.problem.loss_name or "loss")

    @property
    def trace_limit(self) -> int:
        """Size of a recorded pass, in bytes, above which summaries replace its tensors."""
        return self._script.trainer.trace_limit

    @trace_limit.setter
    def trace_limit(self, limit: int) -> None:
        self._script.trainer.trace_limit = limit

    def verdict(self) -> Verdict:
        """Run the edited loop beside its statements in PyTorch's order; changes nothing.

        Raises:
            OutOfReach: the script cannot go back to its start any more.
            PyTorchError: the script raised an exception in the loop in PyTorch's order.
        """
        with self._kept, self._script.borrowed() as now:
            return self._twin.judged(now.loop)

    def twin(self, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with the same rounds in PyTorch's order; changes nothing.

        Raises:
            OutOfReach: the script cannot go back to its start any more.
            Stopped: `stopped` returned True.
        """
        now, rates = self._script.state, self._rates()
        own = self._state_after(self._walk.history.here, stopped)
        return self._compared(lambda: self._twin.compared(now, own, rates, stopped, self._tell_comparing))

    def compare(self, number: int, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with another point of its history, round by round; changes nothing."""
        return self._compared(lambda: self._compare(number, stopped))

    def check_gradient(self, stopped: Callable[[], bool] = lambda: False) -> GradientCheck:
        """Refuse: a script's own loop keeps its model and its data to itself."""
        self._refuse_own()

    def check_batches(self, size: int, stopped: Callable[[], bool] = lambda: False) -> BatchCheck:
        """Refuse: a script makes its own batches."""
        self._refuse_own()

    def pictures(self) -> Pictures:
        """Return the object that makes the pictures of the present state that need no model and no data."""
        return ScriptPictures(self.problem.parameters, self._walk.history, self.state.ledger)

    def _about(self) -> About:
        """Return what the script is, with its loop."""
        about, loop = super()._about(), self.state.loop
        assert isinstance(loop, ScriptLoop)
        file = Path(loop.file).name
        return replace(about, file=file, loop=loop.heads[-1], oddities=len(self.oddities))

    def _refuse_own(self) -> NoReturn:
        raise Refused(Refusal(Reason.OWN_LOOP))

    def _refusals(self) -> Mapping[RefusalKey, Refusal]:
        history = self._walk.history
        return script_refusals(self._script.state, history.position, history.future)

    def _refusal(self, action: Action) -> Refusal | None:
        history = self._walk.history
        return script_refusal(self._script.state, history.position, history.future, action)

    def _rates(self) -> Rates:
        """Return the learning rates that were set on the way to the present point."""
        way = [*self._walk.history.here.way()][::-1]
        return [(point.epoch, point.learning_rate) for point in way if isinstance(point.action, RATES)]

    def _state_after(self, point: Point, stopped: Callable[[], bool]) -> Callable[[int], ScriptState]:
        """Return a function that returns the state after a number of rounds on the way to a point."""

        def after(rounds: int) -> ScriptState:
            if self._walk.travel.go_to_epoch(point, rounds, stopped, self._tell_comparing) < rounds:
                raise Stopped
            return self._script.state

        return after

    def _compare(self, number: int, stopped: Callable[[], bool]) -> Comparison:
        history, now = self._walk.history, self._script.state
        point = history.point(number)
        own, other_after = self._state_after(history.here, stopped), self._state_after(point, stopped)
        self._walk.travel.go(point)
        other = self._script.state
        rounds = min(now.epoch, other.epoch)
        return compare(
            tuple(self.problem.parameters),
            Side(now.losses, own, now if now.epoch == rounds else own(rounds)),
            Side(other.losses, other_after, other if other.epoch == rounds else other_after(rounds)),
        )


def _opened_again(
    reopen: Reopen, rate: float | None, asked: Callable[[], bool] = lambda: False
) -> CapturedLoop:
    loop = reopen(asked)
    if rate is not None:
        set_rate_in(loop.names, rate)
    return loop


def _script_loop(loop: CapturedLoop, seen: Probed, optimizers: tuple[str, ...]) -> ScriptLoop:
    statements = tuple(
        ScriptStatement(
            key=place.index,
            lines=tuple(place.text.split("\n")),
            line=place.lines.first,
            roles=seen.inspection.roles.get(place.index, frozenset()),
        )
        for place in loop.statements
    )
    made = ScriptLoop(loop.loops[-1].file, (), statements, optimizer_names=optimizers)
    return placed(made, loop)
