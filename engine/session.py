"""A session: the start, and the actions since. Applying an action is the only way to change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
    checked_count,
    checked_kind,
    checked_rate,
    checked_steps,
    refusal_key,
)
from engine.epochs import run_epochs
from engine.errors import EngineError, Refused
from engine.frame import Frame
from engine.framing import take_frame
from engine.history import Entry, History
from engine.learning_rate import lowered, raised
from engine.loop import Kind, reference_loop
from engine.problem import Problem
from engine.progress import Progress
from engine.refusals import PYTORCHS, refusals
from engine.state import State
from engine.statements import Statements
from engine.trainer import Trainer
from engine.verdict import Verdict, judge


class Session:
    """Trains a problem by actions, and remembers every state."""

    def __init__(self, problem: Problem, rate: float | None = None) -> None:
        """Start at the problem's start values.

        Args:
            problem: What to train; the session takes its tensors over.
            rate: The learning rate; None for the problem's own.

        Raises:
            BadInput: `rate` is not a positive finite number.
        """
        self._problem = problem
        trainer = Trainer(problem)
        loop = reference_loop(tuple(problem.parameters), problem.loss_name)
        rate = checked_rate(problem.learning_rate if rate is None else rate)
        self._statements = Statements(trainer, State(trainer.snapshot(), loop, rate))
        self._history = History(self._state)
        self._frame: Frame | None = None
        self._shown_before: State | None = None
        self._notice = ""
        self.progress: Progress | None = None
        """How far a run of epochs has come; None while none is under way. May be read from another thread."""

    @property
    def frame(self) -> Frame:
        """The picture of the session as it stands."""
        if self._frame is None:
            self._frame = take_frame(
                self._problem,
                self._state,
                self._shown_before,
                notice=self._notice,
                refusals=self._refusals(),
                position=self._history.position,
                future=self._history.future,
            )
        return self._frame

    @property
    def state(self) -> State:
        """All that the session is at this point; immutable."""
        return self._state

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
        reason = self._refusals().get(refusal_key(action))
        if reason is not None and reason not in PYTORCHS:
            raise Refused(reason)
        before = self._state
        try:
            match action:
                case Undo():
                    self._move(-1)
                case Redo():
                    self._notice = self._move(1).notice
                case _:
                    self._do(action, stopped)
        finally:
            if self._state is not before:
                self._shown_before = before
                self._frame = None
        return self.frame

    def verdict(self) -> Verdict:
        """Find out what the loop, as it stands, does to training from the start; changes nothing."""
        problem, state = self._problem, self._state
        reference = reference_loop(tuple(problem.parameters), problem.loss_name)
        return judge(self._statements, self._history.start, state.loop, reference, state.learning_rate)

    @property
    def _state(self) -> State:
        return self._statements.state

    @_state.setter
    def _state(self, state: State) -> None:
        self._statements.return_to(state)

    def _refusals(self) -> dict[str, str]:
        return refusals(self._state, self._history.position, self._history.future)

    def _move(self, steps: int) -> Entry:
        entry = self._history.move(steps)
        self._state = entry.state
        self._notice = ""
        return entry

    def _do(self, action: Action, stopped: Callable[[], bool]) -> None:
        before, notice = self._state, ""
        try:
            notice = self._perform(action, stopped)
        except EngineError:
            raise
        except BaseException:  # Ctrl-C, or a bug: no statement stays half done
            self._statements.trainer.restore(before.trainer)
            self._statements.state = before
            raise
        finally:
            self.progress = None
            if self._state is not before:
                self._history.add(Entry(action, self._state, notice))
                self._notice = notice

    def _perform(self, action: Action, stopped: Callable[[], bool]) -> str:
        """Do it, and give what there is to say about it."""
        state, statements = self._state, self._statements
        match action:
            case Forward():
                statements.run(Kind.FORWARD)
            case Backward():
                statements.run(Kind.BACKWARD)
            case Update():
                statements.run(Kind.UPDATE)
            case Zero():
                statements.run(Kind.ZERO)
            case NextLine():
                statements.next_line()
            case StepNode():
                statements.step_node()
            case StepNodeBack():
                statements.step_node_back()
            case RunEpochs(count):
                return run_epochs(statements, checked_count(count), stopped, self._tell)
            case ToggleZeroing():
                self._state = replace(state, loop=state.loop.toggled(Kind.ZERO))
            case ToggleSetToNone():
                loop = state.loop.with_zeroing(set_to_none=not state.loop.set_to_none)
                self._state = replace(state, loop=loop)
            case ToggleStatement(kind):
                self._state = replace(state, loop=state.loop.toggled(checked_kind(kind)))
            case MoveStatement(kind, steps):
                moved = state.loop.moved(checked_kind(kind), checked_steps(steps))
                self._state = replace(state, loop=moved)
            case SetLearningRate(value):
                self._state = replace(state, learning_rate=checked_rate(value))
            case RaiseLearningRate():
                self._state = replace(state, learning_rate=raised(state.learning_rate))
            case LowerLearningRate():
                self._state = replace(state, learning_rate=lowered(state.learning_rate))
            case Reset():
                self._state = state.rewound_to(self._history.start)
        return ""

    def _tell(self, progress: Progress) -> None:
        self.progress = progress
