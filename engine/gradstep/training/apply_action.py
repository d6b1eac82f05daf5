"""Effect of each action on a session's statements and state."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from torch import optim

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
    checked_count,
    checked_kind,
    checked_rate,
    checked_steps,
)
from gradstep.loop.batches import split_of
from gradstep.loop.learning_rate import lowered, raised
from gradstep.loop.loop import Kind, Loop
from gradstep.loop.optimizers import checked_optimizer
from gradstep.notices import OptimizerSet, PassedOver, TraceSummarized, ZeroingSet
from gradstep.training.epochs import Ended, run_epochs
from gradstep.training.machine import Machine
from gradstep.training.progress import Progress
from gradstep.training.snapshots import LastEpochs
from gradstep.training.state import State, TrainingState
from gradstep.training.stepper import Statements

LINES = {Forward: Kind.FORWARD, Backward: Kind.BACKWARD, Update: Kind.UPDATE, Zero: Kind.ZERO}
"""Actions that run one statement, and the statement."""

S_contra = TypeVar("S_contra", bound=TrainingState, contravariant=True)
"""State of the machine, as an argument."""


class Perform(Protocol[S_contra]):
    """Applies an action to a machine, as `perform` does."""

    def __call__(
        self,
        action: Action,
        start: S_contra,
        stopped: Callable[[], bool] = ...,
        tell: Callable[[Progress], None] = ...,
    ) -> Ended:
        """Apply an action."""


def perform(
    statements: Statements,
    action: Action,
    start: State,
    stopped: Callable[[], bool] = lambda: False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Ended:
    """Apply an action to a session.

    Args:
        statements: Runs the action; has the new state afterwards.
        action: Any action that is not a move in the history.
        start: First state of the session.
        stopped: Called between the epochs of a run; the run stops if it returns True.
        tell: Called with the progress of a run.

    Returns:
        The outcome, which depends only on the action and the state before it, unless a run was stopped.

    Raises:
        BadInput: a value of the action is not possible; nothing has changed.
        PyTorchError: PyTorch raised an error; what it had changed by then stays changed.
    """
    if isinstance(action, RunEpochs):
        return _run_epochs(statements, checked_count(action.count), stopped, tell)
    kind = LINES.get(type(action)) or (statements.state.loop.next if isinstance(action, NextLine) else None)
    before = statements.state
    passed_over = _passed_over(statements.state) if kind is Kind.UPDATE else None
    if type(action) in LINES:
        statements.run(LINES[type(action)])
    elif not stepped(statements, action):
        statements.return_to(_settled(statements, action, start))
    chosen = optimizer_set(before, statements.state)
    told = passed_over or chosen or zeroing_set(before.loop, statements.state.loop, action)
    return Ended(told or summarized(before, statements.state, statements.trainer.trace_limit))


def _run_epochs(
    statements: Statements, count: int, stopped: Callable[[], bool], tell: Callable[[Progress], None]
) -> Ended:
    """Run epochs, and note in the state that they have run."""
    before = statements.state
    ended = run_epochs(statements, count, stopped, tell)
    now = statements.state
    if now is not before:
        last = LastEpochs(
            before.trainer, now.epoch - before.epoch, before.epoch, _updates(before, now, count, ended)
        )
        statements.return_to(replace(now, last=last))
    return ended


def _updates(before: State, now: State, count: int, ended: Ended) -> int | None:
    """Return how often a run of epochs updated the parameters; None if it ended in the middle of an epoch."""
    epochs = count if ended.stopped_after is None else ended.stopped_after
    if now.diverged or not epochs:
        return None
    loop = before.loop
    return loop.rest().count(Kind.UPDATE) + (epochs - 1) * loop.epoch.count(Kind.UPDATE)


def summarized(before: TrainingState, after: TrainingState, limit: int) -> TraceSummarized | None:
    """Return a notice if a pass has just been recorded and is not kept in full."""
    passing, last = after.passing, before.passing
    if passing is None or (last is not None and last.trace is passing.trace) or not passing.trace.summarized:
        return None
    return TraceSummarized(passing.trace.summarized, limit)


def zeroing_set(before: Loop, after: Loop, action: Action) -> ZeroingSet | None:
    """Return a notice if an action has changed what the loop does with the gradients of the pass before."""
    zeroing = after.is_enabled(Kind.ZERO)
    set_to_none = isinstance(action, ToggleSetToNone) and before.set_to_none is not after.set_to_none
    changed = set_to_none or zeroing is not before.is_enabled(Kind.ZERO)
    if changed and after.enabled:
        return ZeroingSet(zeroing, after.set_to_none)
    return None


def optimizer_set(before: State, after: State) -> OptimizerSet | None:
    """Return a notice if another optimizer updates the parameters from now on."""
    chosen = after.loop.optimizer
    if chosen.name == before.loop.optimizer.name:
        return None
    if chosen.by_hand or chosen.name == "SGD":
        return OptimizerSet("" if chosen.by_hand else chosen.name, after.learning_rate, None)
    usual = inspect.signature(getattr(optim, chosen.name)).parameters["lr"].default
    return OptimizerSet(chosen.name, after.learning_rate, float(usual))


def _passed_over(state: State) -> PassedOver | None:
    """Return a notice if an optimizer's step is about to skip parameters; a hand-written update raises."""
    grads = state.trainer.grads
    missing = sum(grad is None for grad in grads)
    if state.in_pass or state.loop.optimizer.by_hand or not missing:
        return None
    return PassedOver(missing, len(grads))


def stepped(machine: Machine[Any, Any], action: Action) -> bool:
    """Apply an action that steps through lines or nodes; return False for any other action."""
    match action:
        case NextLine():
            machine.next_line()
        case StepNode():
            machine.step_node()
        case StepTo(event):
            machine.step_to(event)
        case StepNodeBack():
            machine.step_node_back()
        case _:
            return False
    return True


def _settled(statements: Statements, action: Action, start: State) -> State:
    """Return the state after an action that runs no statement."""
    state, problem = statements.state, statements.trainer.problem
    match action:
        case SetLearningRate(value):
            return replace(state, learning_rate=checked_rate(value))
        case SetOptimizer(optimizer):
            return state.with_optimizer(checked_optimizer(optimizer))
        case SetBatches(batches):
            split = split_of(batches, problem.samples)
            return state.with_split(split, problem.words)
        case RaiseLearningRate():
            return replace(state, learning_rate=raised(state.learning_rate))
        case LowerLearningRate():
            return replace(state, learning_rate=lowered(state.learning_rate))
        case Reset():
            return state.rewound_to(start)
        case _:
            return replace(state, loop=_edited(state.loop, action))


def _edited(loop: Loop, action: Action) -> Loop:
    match action:
        case ToggleZeroing():
            return loop.toggled(Kind.ZERO)
        case ToggleSetToNone():
            return loop.with_zeroing(set_to_none=not loop.set_to_none)
        case ToggleStatement(kind):
            return loop.toggled(checked_kind(kind))
        case MoveStatement(kind, steps):
            return loop.moved(checked_kind(kind), checked_steps(steps))
        case _:
            raise TypeError(f"{action!r} changes no state by itself")
