"""A captured loop with copies of what it holds: statements run, and every earlier state can come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from gradstep.autograd.trace import TRACE_LIMIT
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_moments import LoopMoment
from gradstep.capture.loop_places import Control
from gradstep.capture.parking.loop_errors import NotTakenBack
from gradstep.loop.optimizers import HAND
from gradstep.problem import ScriptProblem
from gradstep.script_training.rounds.fast_rounds import FastRounds
from gradstep.script_training.rounds.round_losses import RoundLosses
from gradstep.script_training.script_names_found import total_of
from gradstep.script_training.script_snapshot import NO_ROUNDS, ZERO_ALL, Ran, RateSet, ScriptSnapshot
from gradstep.script_training.script_tensors import ScriptTensors
from gradstep.script_training.statement_runner import StatementRun, StatementRunner
from gradstep.training.pytorch_errors import PyTorchError, learners_code
from gradstep.training.snapshots import ForwardPass


class Reopen(Protocol):
    """Runs the script anew up to its loop."""

    def __call__(self, asked: Callable[[], bool] = ..., /) -> CapturedLoop:
        """Return the loop; `asked` is polled meanwhile, and returns True to stop the script."""
        ...


class ScriptTrainer:
    """Runs the statements of a script's loop."""

    def __init__(self, problem: ScriptProblem, loop: CapturedLoop, reopen: Reopen) -> None:
        """Take over a loop at the begin of its first round."""
        self.problem, self.loop, self._reopen = problem, loop, reopen
        self.trace_limit = TRACE_LIMIT
        """Bytes of a trace beyond which tensors are kept as summaries."""

        self.is_steady = True
        """Whether what ran again came to the same numbers."""

        self.lost: tuple[str, ...] = ()
        """Names of objects that could not be put back when the loop was taken back last."""

        self._tensors = ScriptTensors(problem.parameters)
        self._runner = StatementRunner()
        self.failed_after: tuple[int, ...] | None = None
        """Keys of what had run in the round that raised, in a run of rounds; None if none raised."""

        self.is_interrupted = False
        """Whether the learner stopped a round of the last run of rounds, which was taken back."""

        self._last_loss: Tensor | None = None
        self._past = NO_ROUNDS
        self._due: Ran = ()
        """What still has to run again before the script is in the state of the last snapshot."""

        zero = tuple(tensor.detach().clone() for tensor in problem.parameters.values())
        self._kept = ScriptSnapshot(zero, (None,) * len(zero), torch.get_rng_state(), optimizer=HAND)
        self._start = loop.keep()
        """Begin of the first round of the present run of the script."""

        self._first = self._kept = self._copied(self._start)

    # What there is

    @property
    def rate(self) -> float:
        """Learning rate; nan if nobody knows it."""
        return self._tensors.rate

    def snapshot(self) -> ScriptSnapshot:
        """Return the present state."""
        return self._kept

    def can_return_to(self, snapshot: ScriptSnapshot) -> bool:
        """Return whether the script can be taken back to a state, or be run again up to it."""
        return snapshot is self._kept or snapshot is self._first or self.reaches(snapshot)

    def reaches(self, snapshot: ScriptSnapshot) -> bool:
        """Return whether the script can be taken back to a state without running it anew."""
        moment = self._moment_of(snapshot)
        return moment is not None and self.loop.can_go_back(moment)

    def _moment_of(self, snapshot: ScriptSnapshot) -> LoopMoment | None:
        return self._start if snapshot is self._first else snapshot.moment

    def restore(self, snapshot: ScriptSnapshot) -> None:
        """Return to a state. What ran in its round before runs again when the next statement does.

        Raises:
            EngineError: the script had to be run anew, and could not be.
        """
        try:
            moment = self._moment_of(snapshot)
            if moment is None or not self.loop.can_go_back(moment):
                raise NotTakenBack
            self.lost = self.loop.go_back(moment)
        except NotTakenBack:
            if snapshot is not self._first and not self.loop.hands_out:
                raise
            self._run_anew()
            snapshot = self._run_past(snapshot)
        self._begin_round()
        self._due, self._past = snapshot.ran, snapshot.past
        self._kept = replace(snapshot, moment=self._start) if snapshot is self._first else snapshot
        self._tensors.look(self.loop.names)
        self._know_loss()

    def catch_up(self) -> None:
        """Run again what ran in the round before the script was taken back to its begin."""
        due, self._due = self._due, ()
        if not due:
            return
        wanted, self._kept = self._kept, replace(self._kept, ran=())
        self._run_again(due)
        self._know_loss()
        self._tensors.look(self.loop.names)
        self.is_steady &= self._tensors.have(wanted.parameters) and self.loop.is_exact
        self._kept = wanted

    def _run_again(self, steps: Ran) -> Control:
        """Run again what ran in a round, and return how the round is left."""
        control = Control.NEXT
        for step in steps:
            if isinstance(step, RateSet):
                self._tensors.set_rate(self.loop.names, step.rate)
            elif step == ZERO_ALL:
                self._drop_grads()
            else:
                with suppress(PyTorchError):
                    control = self._runner.run_again(self.loop, step)
        return control

    def _run_past(self, snapshot: ScriptSnapshot) -> ScriptSnapshot:
        """Run again what ran before the round of a state, and return the state with the way back to it."""
        if snapshot is self._first:
            return snapshot
        for past in snapshot.past.in_order():
            with suppress(PyTorchError), learners_code():
                if past.ran is None:
                    self.loop.run(past.count)
                elif not past.count:
                    self._run_again(past.ran)
                else:
                    for _ in range(past.count):
                        self.loop.end_round(self._run_again(past.ran))
        is_begin = self.loop.is_at_begin and not self.loop.next_statement
        return replace(snapshot, moment=self.loop.keep() if is_begin else None)

    def _run_anew(self) -> None:
        """Run the script up to its loop once more."""
        before, self.loop = self.loop, self._reopen()
        self.loop.runs += before.runs
        self.loop.forks.has_forked |= before.forks.has_forked
        self.problem = replace(self.problem, printed=self.loop.printed)
        self._start = self.loop.keep()

    # The statements

    def run_statement(self, key: int, *, recorded: bool) -> StatementRun:
        """Run one statement of the round under way.

        Raises:
            PyTorchError: the statement raised; what it had changed by then stays changed.
        """
        self.catch_up()
        ran = StatementRun()
        try:
            if recorded:
                known = self._tensors.known(self._kept)
                self._runner.run(self.loop, key, ran, self._tensors.live, known, self.trace_limit)
            else:
                self._runner.run_unrecorded(self.loop, key, ran)
        finally:
            before = self._kept
            self._kept = self._copied(before.moment, (*before.ran, key))
            if ran.passes:
                self._set_loss(total_of(ran.found.outputs[0]), before)
                if self._kept.passed is None:
                    self._kept = replace(self._kept, passed=self._kept.forward)
            else:
                self._look_for_loss(before)
        return ran

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of all parameter groups of the loop's optimizers."""
        self.catch_up()
        self._tensors.set_rate(self.loop.names, rate)
        if self._kept.ran:
            self._kept = replace(self._kept, ran=(*self._kept.ran, RateSet(rate)))
        else:
            self._past = self._past.and_then(0, (RateSet(rate),))
            self._kept = replace(self._kept, moment=self.loop.keep(), past=self._past)

    def zero_all(self) -> None:
        """Set every `.grad` to None."""
        self.catch_up()
        self._drop_grads()
        self._kept = self._copied(self._kept.moment, (*self._kept.ran, ZERO_ALL))

    def _drop_grads(self) -> None:
        self._tensors.drop_grads(self.loop.names)

    # Rounds

    def end_round(self, control: Control = Control.NEXT) -> None:
        """Leave the round under way, and go on to the begin of the next.

        Raises:
            PyTorchError: the script raised on the way.
        """
        self.catch_up()
        self._begin_round()
        self._past = self._past.and_then(1, self._kept.ran)
        try:
            with learners_code():
                self.loop.end_round(control)
        finally:
            self._keep_begin()

    def run_rounds(
        self,
        count: int,
        order: Sequence[int] | None,
        add_loss: Callable[[float], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Run whole rounds unrecorded, from the begin of one.

        Args:
            count: How many rounds.
            order: Keys of the statements of a round, in their order; None for the script's own round.
            add_loss: Called with the loss of each round; nan if it had none.
            stopped: Polled between rounds; return True to stop.

        Raises:
            PyTorchError: a round raised.
            Interrupted: the learner stopped the first round; if it was a later one, those before it stay.
        """
        self.catch_up()
        self._begin_round()
        losses = RoundLosses(self.loop, self.problem.loss_name, add_loss)
        before = self._kept
        moment = None if before.ran else before.moment
        rounds = FastRounds(self.loop, order, losses, self._drop_grads, moment)
        try:
            rounds.run(count, stopped)
        finally:
            self.failed_after, self.is_interrupted = rounds.failed_after, rounds.is_interrupted
            self.is_steady &= self.loop.is_exact or not rounds.is_interrupted
            self._past = rounds.after(self._past)
            self._keep_begin()
            if losses.last is not None:
                self._set_loss(losses.last, before)

    def _begin_round(self) -> None:
        self._runner.begin_round()
        self.failed_after = None

    # Copies

    def _keep_begin(self) -> None:
        """Take a new snapshot at the begin of a round, or where the loop has ended."""
        self._know_loss()
        forward = self._kept.passed or self._kept.forward
        self._kept = replace(self._copied(None), forward=forward, passed=None)
        if self.loop.is_at_begin and self.failed_after is None:
            copies = self._tensors.copies(self.loop.names, self._kept)
            self._kept = replace(self._kept, moment=self.loop.keep(copies))

    def _copied(self, moment: LoopMoment | None, ran: Ran = ()) -> ScriptSnapshot:
        copied = self._tensors.copied(self.loop.names, self._kept)
        return replace(copied, moment=moment, ran=ran, past=self._past)

    # The loss

    def _know_loss(self) -> None:
        """Take what the loss's variable holds now for known: only another tensor is a new loss."""
        value = self.loop.value_of(self.problem.loss_name)
        self._last_loss = value if isinstance(value, Tensor) else None

    @property
    def has_seen_loss(self) -> bool:
        """Whether what the loss's variable holds now is known, so that only another tensor is a new loss."""
        return self._last_loss is not None and self._last_loss is self.loop.value_of(self.problem.loss_name)

    def forget_loss(self) -> None:
        """Take what the loss's variable holds for a new loss, once a statement has run."""
        self._last_loss = None

    def _look_for_loss(self, before: ScriptSnapshot) -> None:
        """Take the loss from the variable that holds it, once a statement has made a new one."""
        value = self.loop.names.get(self.problem.loss_name)
        if isinstance(value, Tensor) and value.grad_fn is not None and value is not self._last_loss:
            self._last_loss = value
            self._set_loss(total_of((value,)), before)

    def _set_loss(self, loss: Tensor, before: ScriptSnapshot) -> None:
        made = ForwardPass(before.parameters, before.rng, None, loss)
        self._kept = replace(self._kept, forward=made)
