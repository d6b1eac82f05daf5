"""A session: the start, and the actions since. Applying an action is the only way to change it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from gradstep.actions import (
    Action,
    checked_rate,
    refusal_key,
)
from gradstep.analysis.batch_check import BatchCheck, check_batches
from gradstep.analysis.compare_runs import Beside
from gradstep.analysis.comparison import Comparison
from gradstep.analysis.gradient_check import GradientCheck, check_gradient
from gradstep.analysis.loop_verdict import Verdict, judge
from gradstep.captured_output import KeptFromTerminal
from gradstep.errors import EngineError, Refused
from gradstep.frame import Frame
from gradstep.frame_builder import take_frame
from gradstep.history.navigator import Walk
from gradstep.history.substeps import Inside
from gradstep.history.timeline import Timeline, timeline
from gradstep.loop.batches import FULL, Batches, split_of
from gradstep.loop.optimizers import Optimizer, checked_optimizer
from gradstep.loop.script_names import Spelling
from gradstep.pictures.pictures import Pictures
from gradstep.problem import Problem
from gradstep.refusals import PYTORCHS, refusal, refusals
from gradstep.scripts.source import ScriptSource
from gradstep.start import Start
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.state import State
from gradstep.training.stepper import Statements
from gradstep.training.trainer import Trainer

Watch = Callable[[Action, State, str], None]
"""Is told each action that changed a session, the state after it, and what PyTorch refused, if anything."""


class Session:
    """Trains a problem by actions, and remembers every state."""

    def __init__(
        self,
        problem: Problem,
        rate: float | None = None,
        optimizer: Optimizer | None = None,
        batches: Batches = FULL,
    ) -> None:
        """Start at the problem's start values.

        Args:
            problem: What to train; the session takes its tensors over.
            rate: The learning rate; None for the problem's own.
            optimizer: Updates the parameters; None for the problem's own.
            batches: How the samples are split.

        Raises:
            BadInput: `rate` is not a positive finite number, PyTorch would refuse the optimizer, or the
                samples cannot be split like that.
        """
        self._problem = problem
        trainer = Trainer(problem)
        loop = problem.reference_loop()
        rate = checked_rate(problem.learning_rate if rate is None else rate)
        optimizer = checked_optimizer(problem.optimizer if optimizer is None else optimizer)
        self._statements = Statements(trainer, State(trainer.snapshot(), loop, rate))
        if not optimizer.by_hand:
            self._statements.return_to(self._statements.state.with_optimizer(optimizer))
        split = split_of(batches, problem.samples)
        if split is not None:
            self._statements.return_to(self._statements.state.with_split(split, problem.words))
        self._start = self._statements.state
        self._walk = Walk(self._statements, self._tell)
        self._beside = Beside(problem, self._statements, self._walk.history, self._walk.travel)
        self._frame: Frame | None = None
        self._shown_before: State | None = None
        self.origin: Start | None = None
        """What it began from; None for a problem that no `Start` names."""

        self.source: ScriptSource | None = None
        """What a file of the learner's own said then; None where there is none."""

        self.watch: Watch = lambda action, state, refused: None
        """Who is told what was done; nobody at first."""

        self.tried: Callable[[Action, str], None] = lambda action, refused: None
        """Who is told what PyTorch refused where nothing changed by it; nobody at first."""

        self.progress: Progress | None = None
        """How far a run of epochs has come; None while none is under way. May be read from another thread."""

    @property
    def _kept(self) -> KeptFromTerminal:
        """Keeps the terminal from the script's own code while that runs."""
        return KeptFromTerminal(self._problem.printed)

    @property
    def spelling(self) -> Spelling:
        """What the problem's script calls what the loop uses."""
        return self._problem.words

    @property
    def problem(self) -> Problem:
        """What is trained."""
        return self._problem

    @property
    def trace_limit(self) -> int:
        """Bytes from which on the recording of a pass keeps summaries of its gradients."""
        return self._statements.trainer.trace_limit

    @trace_limit.setter
    def trace_limit(self, limit: int) -> None:
        self._statements.trainer.trace_limit = limit

    @property
    def state(self) -> State:
        """All that the session is now."""
        return self._statements.state

    @property
    def frame(self) -> Frame:
        """The picture of the session as it stands."""
        if self._frame is None:
            history = self._walk.history
            self._frame = take_frame(
                self._problem,
                self.state,
                self._shown_before,
                notice=self._walk.notice,
                refusals=refusals(self.state, history.position, history.future),
                position=history.position,
                future=history.future,
            )
        return self._frame

    def apply(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> Frame:
        """Do what the learner asked for.

        Args:
            action: What to do.
            stopped: Asked between the epochs of a run, which ends where it says so.

        Returns:
            The frame after it.

        Raises:
            Refused: it makes no sense now; nothing has changed.
            BadInput: a value cannot be used; nothing has changed.
            PyTorchError: PyTorch refused; what it did before that stays, and can be undone.
        """
        self.do(action, stopped)
        return self.frame

    def do(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> None:
        """Do what `apply` does, and make no frame: for whoever does very many actions."""
        history = self._walk.history
        reason = refusal(self.state, history.position, history.future, refusal_key(action))
        if reason and reason not in PYTORCHS:
            raise Refused(reason)
        before, refused, done = self.state, "", action
        try:
            with self._kept:
                done = self._walk.do(action, stopped)
        except EngineError as error:
            refused = str(error)
            if self.state is before and isinstance(error, PyTorchError):
                self.tried(action, refused)
            raise
        except BaseException:  # Ctrl-C, or a bug: no statement stays half done
            self._statements.trainer.restore(before.trainer)
            self._statements.state = before
            raise
        finally:
            self.progress = None
            if self.state is not before:
                self._shown_before = before
                self._frame = None
                self.watch(done, self.state, refused)

    def do_again(
        self, action: Action, stopped: Callable[[], bool] = lambda: False, *, recorded: bool
    ) -> None:
        """Do what was done in an earlier session.

        Args:
            action: What to do.
            stopped: As for `apply`.
            recorded: Whether its backward passes are recorded, as one that PyTorch refused has to be.
                Without, they are quicker, come to the same bits, and cannot be looked into.

        Raises:
            EngineError: as `apply` does.
        """
        with nullcontext() if recorded else self._statements.unrecorded():
            self.do(action, stopped)

    def verdict(self) -> Verdict:
        """Find out what the loop, as it stands, does to training from the start; changes nothing."""
        loop = self.state.loop
        reference = self._problem.reference_loop().with_optimizer(loop.optimizer)
        reference = reference.with_split(loop.split, self._problem.words)
        start = self.state.rewound_to(self._start)
        with self._kept:
            return judge(self._statements, start, self.state.loop, reference, self.state.learning_rate)

    def check_gradient(self, stopped: Callable[[], bool] = lambda: False) -> GradientCheck:
        """Check autograd's gradient by finite differences; raises as `analysis.gradient_check` does."""
        grads = {one.name: one.grad for one in self.frame.parameters}
        with self._kept:
            return check_gradient(self._statements, grads, stopped)

    def check_batches(self, size: int, stopped: Callable[[], bool] = lambda: False) -> BatchCheck:
        """Find out what parts of `size` samples do to the gradient; raises as `analysis.batch_check` does."""
        with self._kept:
            return check_batches(self._statements, size, stopped)

    def pictures(self) -> Pictures:
        """Give what computes the session's pictures as it stands; changes nothing."""
        return Pictures(self._statements, self._walk.history, self._walk.travel)

    def twin(self, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with its twin, the reference loop from the same bits; changes nothing.

        Raises:
            Stopped: `stopped`, asked between epochs, said so.
            PyTorchError: the reference loop cannot run on this problem.
        """
        return self._compared(lambda: self._beside.twin(stopped, self._tell_comparing))

    def compare(self, number: int, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with another point of its history, epoch by epoch; changes nothing.

        Raises:
            BadInput: there is no such point.
            Stopped: `stopped`, asked between epochs, said so.
        """
        return self._compared(lambda: self._beside.branch(number, stopped, self._tell_comparing))

    def line(self) -> tuple[Action, ...]:
        """Give the actions that lead here from the start, without those that were taken back."""
        return self._walk.line()

    def timeline(self, through: int | None = None) -> Timeline:
        """Give the line of points on which the session stands, or the one through another point.

        Raises:
            BadInput: there is no such point.
        """
        return timeline(self._walk.history, through)

    def inside(self, number: int) -> Inside | None:
        """Say how far one can go into the action that led to a point; None where there is nothing inside.

        Raises:
            BadInput: there is no such point.
        """
        with self._kept:
            return self._walk.room(number)

    def _compared(self, run: Callable[[], Comparison]) -> Comparison:
        now = self.state
        try:
            with self._kept:
                return run()
        finally:
            self.progress = None
            self._statements.return_to(now)

    def _tell(self, progress: Progress) -> None:
        self.progress = progress

    def _tell_comparing(self, progress: Progress) -> None:
        self.progress = replace(progress, comparing=True)
