"""A session: a start and the actions since. Applying an action is the only way to change a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from gradstep.actions import (
    Action,
    GoTo,
    Redo,
    RefusalKey,
    Reset,
    RunEpochs,
    RunOuter,
    StepNodeBack,
    Undo,
    begun_by,
    checked_rate,
)
from gradstep.analysis.batch_check import BatchCheck, check_batches
from gradstep.analysis.compare_runs import RunComparer
from gradstep.analysis.comparison import Comparison
from gradstep.analysis.gradient_check import GradientCheck, check_gradient
from gradstep.analysis.loop_verdict import Verdict, judge
from gradstep.analysis.loss_signal import loss_signal
from gradstep.capture.obstacles import Noticed
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
from gradstep.notices import LossSignal, RunDiverged
from gradstep.oddities.oddity import Oddity
from gradstep.pictures.pictures import Pictures
from gradstep.predicting.answering import Answering
from gradstep.predicting.branches import Branches
from gradstep.predicting.predictor import Predictor
from gradstep.predictions.exercise import Exercise, Prediction
from gradstep.predictions.question import Question
from gradstep.problem import Problem, ScriptProblem
from gradstep.reasons import PYTORCH_REFUSES, Refusal
from gradstep.refusals import refusal, refusals
from gradstep.scripts.source import ScriptSource
from gradstep.start import Start
from gradstep.statement_steps.introduction import about_problem
from gradstep.statement_steps.statement_facts import About
from gradstep.training.apply_action import Perform, perform
from gradstep.training.machine import Machine
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.state import State, TrainingState
from gradstep.training.stepper import Statements
from gradstep.training.trainer import Trainer

Watch = Callable[[Action, TrainingState, EngineError | None], None]
"""Change listener: called with the action, the state after it, and the error or None."""


class Session:
    """Trains a problem by actions and can return to any earlier state, bit for bit."""

    def __init__(
        self,
        problem: Problem,
        rate: float | None = None,
        optimizer: Optimizer | None = None,
        batches: Batches = FULL,
    ) -> None:
        """Start at the problem's start values.

        Args:
            problem: Problem to train; the session owns its tensors from now on.
            rate: Learning rate; None for the problem's own.
            optimizer: Optimizer of the parameters; None for the problem's own.
            batches: Way in which the samples are split.

        Raises:
            BadInput: `rate` is not a positive finite number, PyTorch would refuse the optimizer, or the
                samples cannot be split in this way.
        """
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
        self._begin(problem, self._statements, partial(perform, self._statements))
        self._comparer = RunComparer(problem, self._statements, self._walk.history, self._walk.travel)

    def _begin(
        self, problem: Problem | ScriptProblem, machine: Machine[Any, Any], perform: Perform[Any]
    ) -> None:
        """Begin with what runs the actions, in the state in which it is."""
        self._problem, self._machine = problem, machine
        answering = Answering(lambda: self.problem, machine, perform)
        self._walk = Walk(machine, answering, self._tell)
        self._predictor = Predictor(self._walk, self._branches(answering), answering)
        self._frame: Frame | None = None
        self._shown_before: TrainingState | None = None
        self._did: Action | None = None
        self.origin: Start | None = None
        """Start from which the session was opened; None for a problem that no `Start` names."""

        self.source: ScriptSource | None = None
        """Text of the learner's file when it was read; None for a built-in problem."""

        self.oddities: tuple[Oddity, ...] = ()
        """What is odd about a script's own loop, mistakes first; empty for any other session."""

        self.modules: dict[str, str] | None = None
        """Digests of the modules beside a script, by file, if its own loop is stepped; else None."""

        self.facts: tuple[Noticed, ...] = ()
        """Peculiarities of a script with a loop of its own, such as what could not be put back."""

        self.watch: Watch = lambda action, state, error: None
        """Called after every action that changed the session; does nothing by default."""

        self.tried: Callable[[Action, PyTorchError], None] = lambda action, error: None
        """Called after an action that PyTorch refused and that changed nothing; does nothing by default."""

        self.progress: Progress | None = None
        """Progress of the current run of epochs; None if no run is under way. Other threads may read it."""

    def _branches(self, perform: Perform[Any]) -> Branches[Any]:
        """Return what runs actions on throwaway branches."""
        return Branches(lambda: self.problem, self._machine, perform, self._machine.state)

    @property
    def _kept(self) -> KeptFromTerminal:
        """Context manager that captures what the learner's code prints."""
        return KeptFromTerminal(self._problem.printed)

    @property
    def spelling(self) -> Spelling:
        """The script's names for the model, the loss, the inputs and the targets."""
        return self._statements.trainer.problem.words

    @property
    def problem(self) -> Problem | ScriptProblem:
        """Problem that the session trains."""
        return self._problem

    @property
    def trace_limit(self) -> int:
        """Size of a recorded pass, in bytes, above which summaries replace its tensors."""
        return self._statements.trainer.trace_limit

    @trace_limit.setter
    def trace_limit(self, limit: int) -> None:
        self._statements.trainer.trace_limit = limit

    @property
    def state(self) -> TrainingState:
        """Complete present state: live tensors copied, loop, learning rate, pass."""
        state: TrainingState = self._machine.state
        return state

    @property
    def frame(self) -> Frame:
        """Immutable picture of everything that a screen shows of the session now."""
        if self._frame is None:
            history = self._walk.history
            self._frame = take_frame(
                self._problem,
                self.state,
                self._shown_before,
                about=self._about,
                notice=self._walk.notice,
                signal=self._signal(),
                refusals=self._refusals(),
                position=history.position,
                future=history.future,
                file="" if self.source is None else str(self.source.path),
                prediction=None if history.inside else history.here.prediction,
            )
        return self._frame

    def _about(self) -> About:
        """Return what the problem is, for somebody who sees it for the first time."""
        return about_problem(self._problem, self.origin, self.source)

    def apply(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> Frame:
        """Apply an action and return the frame after it.

        Args:
            action: Action to apply.
            stopped: Polled between the epochs of a run; return True to end the run early.

        Returns:
            Frame after the action.

        Raises:
            Refused: The action makes no sense now; nothing has changed.
            BadInput: A value cannot be used; nothing has changed.
            PyTorchError: PyTorch refused; what ran before that stays and can be undone.
        """
        self.do(action, stopped)
        return self.frame

    def do(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> None:
        """Apply an action without making a frame, which is quicker for very many actions.

        Args:
            action: Action to apply.
            stopped: Polled between the epochs of a run; return True to end the run early.

        Raises:
            EngineError: As `apply` does.
        """
        found = self._refusal(begun_by(action))
        if found is not None and found.reason not in PYTORCH_REFUSES:
            raise Refused(found)
        before, done = self.state, action
        failure: EngineError | None = None
        try:
            with self._kept:
                done = self._walk.do(action, stopped)
        except EngineError as error:
            failure = error
            if self.state is before and isinstance(error, PyTorchError):
                self.tried(action, error)
            raise
        except BaseException:  # Ctrl-C, or a bug: no statement stays half done
            self._machine.put_back_after_interruption(before)
            raise
        finally:
            self.progress = None
            if self.state is not before:
                self._shown_before, self._did = before, action
                self._frame = None
                self.watch(done, self.state, failure)

    def do_again(
        self, action: Action, stopped: Callable[[], bool] = lambda: False, *, recorded: bool
    ) -> None:
        """Apply an action of an earlier session again.

        Args:
            action: Action to apply.
            stopped: Polled between the epochs of a run; return True to end the run early.
            recorded: Whether backward passes are recorded, as needed for a pass that PyTorch refused.
                Unrecorded passes are quicker and give the same bits, but have no events to step through.

        Raises:
            EngineError: As `apply` does.
        """
        with nullcontext() if recorded else self._machine.unrecorded():
            self.do(action, stopped)

    def verdict(self) -> Verdict:
        """Run the edited loop beside the reference loop from the start and return what differs.

        Changes nothing.

        Raises:
            EngineError: The reference loop itself cannot run on this problem.
        """
        state, problem = self._statements.state, self._statements.trainer.problem
        reference = problem.reference_loop().with_optimizer(state.loop.optimizer)
        reference = reference.with_split(state.loop.split, problem.words)
        start = state.rewound_to(self._start)
        with self._kept:
            return judge(self._statements, start, state.loop, reference, state.learning_rate)

    def ask(self, *, node: bool = False, stopped: Callable[[], bool] = lambda: False) -> Exercise:
        """Return a question about the line or the node that comes next; changes nothing.

        Args:
            node: Whether to ask about the first node of the coming pass, not about the whole line.
            stopped: Polled while a run goes on; return True to stop it.

        Raises:
            Refused: Nothing can run, or nothing can be asked about what comes next.
        """
        return self._predictor.ask(self.state, node=node, stopped=stopped)

    @property
    def asked(self) -> Exercise | None:
        """The question that was asked last, as long as nothing has changed since; else None."""
        return self._predictor.asked(self.state)

    def put(self, question: Question, stopped: Callable[[], bool] = lambda: False) -> Exercise:
        """Return a given question with its truth in the present state; changes nothing.

        Args:
            question: The question.
            stopped: Polled while a run goes on; return True to stop it.

        Raises:
            Refused: What the question runs cannot be tried and taken back.
            BadInput: There is nothing here that the question asks for.
        """
        return self._predictor.put(question, stopped)

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """All answers, on all branches of the history, in the order in which they were given."""
        return self._predictor.predictions

    def check_gradient(self, stopped: Callable[[], bool] = lambda: False) -> GradientCheck:
        """Compare autograd's gradient with central finite differences; changes nothing.

        Args:
            stopped: Polled between elements; return True to abandon the check.

        Returns:
            Both gradients of each checked element, with the size of error that is normal.

        Raises:
            PyTorchError: PyTorch refuses a forward or a backward pass here.
            NotAScalar: The loss holds more than one number.
            BadInput: The loss is not finite here, or a parameter is complex.
            Stopped: `stopped` returned True.
        """
        grads = {parameter.name: parameter.grad for parameter in self.frame.parameters}
        with self._kept:
            return check_gradient(self._statements, grads, stopped)

    def check_batches(self, size: int, stopped: Callable[[], bool] = lambda: False) -> BatchCheck:
        """Compare the gradient of each way to split the samples with the full batch's; changes nothing.

        Args:
            size: Samples per part.
            stopped: Polled between passes; return True to abandon the check.

        Returns:
            One trial per way of splitting.

        Raises:
            BadInput: The samples cannot be split into parts of `size`.
            PyTorchError: PyTorch refuses the full batch here.
            Stopped: `stopped` returned True.
        """
        with self._kept:
            return check_batches(self._statements, size, stopped)

    def pictures(self) -> Pictures:
        """Return the object that computes pictures of the present state; changes nothing."""
        return Pictures(self._statements, self._walk.history, self._walk.travel)

    def twin(self, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with its twin, the reference loop from the same start; changes nothing.

        Args:
            stopped: Polled between epochs; return True to abandon the comparison.

        Raises:
            Stopped: `stopped` returned True.
            PyTorchError: The reference loop cannot run on this problem.
        """
        return self._compared(lambda: self._comparer.twin(stopped, self._tell_comparing))

    def compare(self, number: int, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Compare the session with another point of its history, epoch by epoch; changes nothing.

        Args:
            number: Number of the point, counted from 0.
            stopped: Polled between epochs; return True to abandon the comparison.

        Raises:
            BadInput: The history has no such point.
            Stopped: `stopped` returned True.
        """
        return self._compared(lambda: self._comparer.branch(number, stopped, self._tell_comparing))

    def line(self) -> tuple[Action, ...]:
        """Return the actions that lead from the start to the present point, without undone ones."""
        return self._walk.line()

    def timeline(self, through: int | None = None) -> Timeline:
        """Return the session's line of points from the start.

        Args:
            through: Number of a point on another branch to show; None for the present branch.

        Raises:
            BadInput: The history has no such point.
        """
        return timeline(self._walk.history, through)

    def inside(self, number: int) -> Inside | None:
        """Return the epochs or node events inside the action that led to a point; None if it has none.

        Args:
            number: Number of the point, counted from 0.

        Raises:
            BadInput: The history has no such point.
        """
        with self._kept:
            return self._walk.room(number)

    def _compared(self, run: Callable[[], Comparison]) -> Comparison:
        try:
            with self._kept, self._machine.borrowed():
                return run()
        finally:
            self.progress = None

    def _refusals(self) -> Mapping[RefusalKey, Refusal]:
        history = self._walk.history
        return refusals(self._statements.state, history.position, history.future)

    def _refusal(self, action: Action) -> Refusal | None:
        history = self._walk.history
        return refusal(self._statements.state, history.position, history.future, action)

    def _signal(self) -> LossSignal | None:
        """Return what the losses after the last action give reason to say; nothing after going back."""
        before, names = self._shown_before, tuple(self._problem.parameters)
        if before is None or isinstance(self._did, Undo | GoTo | Reset | StepNodeBack):
            return None
        if isinstance(self._walk.notice, RunDiverged):
            return None
        return loss_signal(
            names, before, self.state, is_run=isinstance(self._did, RunEpochs | RunOuter | Redo)
        )

    def _tell(self, progress: Progress) -> None:
        self.progress = progress

    def _tell_comparing(self, progress: Progress) -> None:
        self.progress = replace(progress, comparing=True)
