"""A session: the start, and the actions since. Applying an action is the only way to change it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine import learning_rate
from engine.actions import (
    MOST_EPOCHS,
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    NextLine,
    RaiseLearningRate,
    Redo,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from engine.errors import BadInput, EngineError, Refused
from engine.frame import Frame
from engine.framing import Passing, State, take_frame
from engine.lessons import PyTorchError
from engine.loop import Kind, reference_loop
from engine.losses import Losses
from engine.problem import Problem
from engine.progress import Progress
from engine.refusals import refusals
from engine.trainer import Trainer

STATEMENTS = {Forward: Kind.FORWARD, Backward: Kind.BACKWARD, Update: Kind.UPDATE, Zero: Kind.ZERO}
"""The actions that run one statement of the loop."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of the history: the action that led there, and the state after it."""

    action: Action | None
    """None for the start."""

    state: State
    notice: str = ""


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
        self._trainer = Trainer(problem)
        loop = reference_loop(tuple(problem.parameters), problem.loss_name)
        rate = problem.learning_rate if rate is None else _checked_rate(rate)
        self._state = State(self._trainer.snapshot(), loop, rate)
        self._history = [Entry(None, self._state)]
        self._position = 0
        self._notice = ""
        self._frame: Frame | None = None
        self._shown_before: State | None = None
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
                refusals=refusals(self._state, self._position, len(self._history) - self._position - 1),
                position=self._position,
                future=len(self._history) - self._position - 1,
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
        before = self._state
        self._notice = ""
        try:
            match action:
                case Undo():
                    self._go_to(self._position - 1, "there is nothing to undo")
                case Redo():
                    self._go_to(self._position + 1, "there is nothing to redo")
                case _:
                    self._do(action, stopped)
        finally:
            if self._state is not before:
                self._shown_before = before
                self._frame = None
        return self.frame

    # The history

    def _do(self, action: Action, stopped: Callable[[], bool]) -> None:
        before = self._state
        try:
            self._perform(action, stopped)
        finally:
            self.progress = None
            if self._state is not before:
                del self._history[self._position + 1 :]
                self._history.append(Entry(action, self._state, self._notice))
                self._position += 1

    def _go_to(self, position: int, nothing: str) -> None:
        if not 0 <= position < len(self._history):
            raise Refused(nothing)
        self._position = position
        self._return_to(self._history[position].state)

    def _return_to(self, state: State) -> None:
        if state.trainer is not self._state.trainer:
            self._trainer.restore(state.trainer)
        self._state = state

    # The actions

    def _perform(self, action: Action, stopped: Callable[[], bool]) -> None:
        state = self._state
        match action:
            case NextLine():
                self._next_line()
            case StepNode():
                self._step_node()
            case StepNodeBack():
                self._step_node_back()
            case RunEpochs(count):
                self._run_epochs(count, stopped)
            case ToggleZeroing():
                self._state = replace(state, loop=state.loop.toggled(Kind.ZERO))
            case SetLearningRate(value):
                self._state = replace(state, learning_rate=_checked_rate(value))
            case RaiseLearningRate():
                self._set_rate(learning_rate.raised(state.learning_rate), "highest")
            case LowerLearningRate():
                self._set_rate(learning_rate.lowered(state.learning_rate), "lowest")
            case Reset():
                self._reset()
            case _:
                self._statement(STATEMENTS[type(action)])

    def _next_line(self) -> None:
        if self._state.in_pass:
            self._statement(Kind.BACKWARD)
        elif self._state.loop.next is None:
            raise Refused("every line of the loop is commented out")
        else:
            self._statement(self._state.loop.next)

    def _statement(self, kind: Kind) -> None:
        state = self._state
        if kind is Kind.BACKWARD and state.passing is not None and state.in_pass:
            self._finish_pass(state.passing)
            return
        self._refuse_inside_a_pass()
        try:
            match kind:
                case Kind.FORWARD:
                    self._trainer.forward()
                    self._state = replace(state, passing=None)
                case Kind.BACKWARD:
                    self._finish_pass(Passing(self._trainer.backward(), 0, state.trainer))
                case Kind.UPDATE:
                    if state.passing is not None:
                        state.passing.trace.events  # noqa: B018 - copies what was saved, before it is changed in place
                    self._trainer.update(state.learning_rate)
                case Kind.ZERO:
                    self._trainer.zero()
        except EngineError:
            self._keep_what_pytorch_left(state)
            raise
        if kind is not Kind.BACKWARD:
            self._advance(kind)

    def _keep_what_pytorch_left(self, before: State) -> None:
        left = self._trainer.snapshot()
        if left is not before.trainer:
            self._state = replace(before, trainer=left, passing=_over(before.passing))

    def _advance(self, kind: Kind) -> None:
        """Move the loop past a statement that has run."""
        state = self._state
        loop, ended = state.loop.ran(kind)
        epoch = state.epoch + ended
        losses, trainer = state.losses, self._trainer.snapshot()
        if kind is Kind.FORWARD and trainer.forward is not None:
            losses = losses.with_loss(epoch - int(loop.complete), trainer.forward.loss.item())
        passing = state.passing if kind is Kind.BACKWARD else _over(state.passing)
        self._state = replace(state, trainer=trainer, loop=loop, epoch=epoch, losses=losses, passing=passing)

    def _finish_pass(self, passing: Passing) -> None:
        self._state = replace(self._state, passing=replace(passing, cursor=len(passing.trace)))
        self._advance(Kind.BACKWARD)

    def _step_node(self) -> None:
        passing = self._state.passing
        if passing is None or passing.finished:
            passing = self._begin_pass()
        passing = replace(passing, cursor=passing.cursor + 1)
        if passing.finished:
            self._finish_pass(passing)
        else:
            self._state = replace(self._state, trainer=self._trainer.snapshot(), passing=passing)

    def _begin_pass(self) -> Passing:
        state = self._state
        try:
            return Passing(self._trainer.backward(), 0, state.trainer)
        except EngineError:
            self._keep_what_pytorch_left(state)
            raise

    def _step_node_back(self) -> None:
        passing = self._state.passing
        if passing is None:
            raise Refused("no backward pass is under way: s starts one")
        if passing.over:
            raise Refused("the pass is over: take back what ran since (left arrow), then step back")
        if passing.cursor > 1:
            self._state = replace(self._state, passing=replace(passing, cursor=passing.cursor - 1))
            return
        self._trainer.restore(passing.start)
        self._state = replace(self._state, trainer=passing.start, passing=None)

    def _set_rate(self, rate: float, end: str) -> None:
        if rate == self._state.learning_rate:
            raise Refused(f"that is the {end} learning rate that the keys give; type one to go on")
        self._state = replace(self._state, learning_rate=rate)

    def _reset(self) -> None:
        start, state = self._history[0].state, self._state
        loop = replace(state.loop, last=None, complete=True, updated=False)
        if state.trainer is not start.trainer:
            self._trainer.restore(start.trainer)
        self._state = replace(start, loop=loop, learning_rate=state.learning_rate)

    def _refuse_inside_a_pass(self) -> None:
        if self._state.in_pass:
            raise Refused("a backward pass is under way: finish it (b) or go back to its start (S)")

    # Runs of epochs

    def _run_epochs(self, count: int, stopped: Callable[[], bool]) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_EPOCHS:
            raise BadInput(
                f"{count!r} is no number of epochs: it must be a whole number from 1 to {MOST_EPOCHS:,}"
            )
        self._refuse_inside_a_pass()
        if self._state.loop.next is None:
            raise Refused("every line of the loop is commented out")
        done = self._epochs(count, stopped)
        if self._diverged():
            self._notice = self._why_diverged()
        elif done < count:
            self._notice = f"stopped after {done:,} of {count:,} epochs"

    def _epochs(self, count: int, stopped: Callable[[], bool]) -> int:
        """Run up to `count` epochs; the first and the last are recorded, those between run fast."""
        self.progress = Progress(count, self._state.epoch, self._state.losses, time.monotonic())
        if not self._recorded_epoch():
            return 0
        done = 1
        if done < count and not stopped():
            done += self._fast_epochs(count - 2, stopped)
            done += int(self._recorded_epoch())
        return done

    def _recorded_epoch(self) -> bool:
        """Run what remains of this epoch; False where its loss is inf or nan, which ends it before backward."""
        for kind in self._state.loop.rest():
            self._statement(kind)
            if kind is Kind.FORWARD and self._diverged():
                return False
        return True

    def _fast_epochs(self, count: int, stopped: Callable[[], bool]) -> int:
        if count < 1:
            return 0
        state = self._state
        buffer = state.losses.open_end(state.epoch)
        assert self.progress is not None
        self.progress = replace(self.progress, losses=Losses(buffer, len(buffer)))
        run = self._trainer.run(state.loop.enabled, count, state.learning_rate, buffer.append, stopped)
        self._state = replace(
            state,
            trainer=self._trainer.snapshot(),
            epoch=state.epoch + run.done,
            losses=Losses(buffer, len(buffer)),
            passing=None,
        )
        if run.error is not None:
            raise PyTorchError(run.error)
        return run.done

    def _diverged(self) -> bool:
        forward = self._state.trainer.forward
        return forward is not None and not math.isfinite(forward.loss.item())

    def _why_diverged(self) -> str:
        state = self._state
        assert state.trainer.forward is not None
        cause = (
            "a lower learning rate may help ([)"
            if state.loop.is_enabled(Kind.ZERO)
            else "gradients pile up while zeroing is off (Z), and a high learning rate ([) makes it worse"
        )
        loss = state.trainer.forward.loss.item()
        return f"diverged: the loss of epoch {state.epoch + 1:,} is {loss}: the steps overshoot; {cause}"


def _over(passing: Passing | None) -> Passing | None:
    return None if passing is None else replace(passing, over=True)


def _checked_rate(value: float) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not (math.isfinite(value) and value > 0)
    ):
        raise BadInput(f"{value!r} is no learning rate: it must be a positive finite number")
    return float(value)
