"""Checks that find the actions which cannot work in the present state, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    RefusalKey,
    RunEpochs,
    RunOuter,
    SetBatches,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    Undo,
    Update,
    Zero,
    refusal_key,
)
from gradstep.loop.learning_rate import lowered, raised
from gradstep.loop.loop import Kind
from gradstep.reasons import Reason, Refusal
from gradstep.training.snapshots import Graph
from gradstep.training.state import State


def refusals(state: State, position: int, future: int) -> dict[RefusalKey, Refusal]:
    """Return a refusal for every action that cannot work now.

    Args:
        state: Present state of the session.
        position: Number of actions that can be undone.
        future: Number of actions that can be redone.

    Returns:
        Refusals by `gradstep.actions.refusal_key`; an action without an entry can work.
    """
    found: dict[RefusalKey, Refusal | None] = {action: check(state) for action, check in CHECKS.items()}
    found |= _moves(state) | _travel(position, future)
    return {action: refusal for action, refusal in found.items() if refusal is not None}


def refusal(state: State, position: int, future: int, action: Action) -> Refusal | None:
    """Return the refusal of one action, or None if it can work; the arguments are those of `refusals`."""
    check = CHECKS.get(type(action))
    if check is not None:
        return check(state)
    others = _moves(state) if isinstance(action, MoveStatement) else _travel(position, future)
    return others.get(refusal_key(action))


def _outside_pass(state: State) -> Refusal | None:
    return Refusal(Reason.IN_PASS) if state.in_pass else None


def _backward(state: State) -> Refusal | None:
    if state.in_pass:
        return None
    if state.trainer.forward is None:
        return Refusal(Reason.NO_LOSS)
    return None if state.trainer.graph is Graph.LIVE else Refusal(Reason.GRAPH_FREED)


def _step_node(state: State) -> Refusal | None:
    """Return why no node can run; after the last one, somebody who steps has pressed once too often."""
    passing, refused = state.passing, _backward(state)
    ended = passing is not None and passing.finished and not passing.over
    return Refusal(Reason.PASS_FINISHED) if ended and refused is not None else refused


def _update(state: State) -> Refusal | None:
    """Return why no update can run: an optimizer skips a missing gradient, hand-written lines raise."""
    if state.in_pass:
        return Refusal(Reason.IN_PASS)
    if not state.loop.optimizer.by_hand:
        return None
    return Refusal(Reason.NO_GRADIENT) if None in state.trainer.grads else None


def _zero(state: State) -> Refusal | None:
    """Return why no zeroing can run; setting `.grad` to None works even if it is None already."""
    return _outside_pass(state) if state.loop.set_to_none else _update(state)


def _step_back(state: State) -> Refusal | None:
    if state.passing is None:
        return Refusal(Reason.NO_PASS)
    return Refusal(Reason.PASS_OVER) if state.passing.over else None


def _next_line(state: State) -> Refusal | None:
    match state.loop.next:
        case _ if state.in_pass:
            return None
        case None:
            return Refusal(Reason.ALL_COMMENTED_OUT)
        case Kind.FORWARD:
            return None
        case Kind.BACKWARD:
            return _backward(state)
        case Kind.UPDATE:
            return _update(state)
        case Kind.ZERO:
            return _zero(state)


def _run_epochs(state: State) -> Refusal | None:
    """Return why no epochs can run; a pass that is the next statement is finished first."""
    if state.in_pass and state.loop.next is not Kind.BACKWARD:
        return Refusal(Reason.IN_PASS)
    if state.diverged and state.loop.next not in (Kind.FORWARD, None):
        return Refusal(Reason.DIVERGED, state.loss)
    return _next_line(state)


def _run_outer(state: State) -> Refusal | None:
    """Return why no loop around this one can run: a built-in loop stands in none."""
    return Refusal(Reason.NO_OUTER_LOOP)


def _raise_rate(state: State) -> Refusal | None:
    return Refusal(Reason.HIGHEST_RATE) if raised(state.learning_rate) == state.learning_rate else None


def _lower_rate(state: State) -> Refusal | None:
    return Refusal(Reason.LOWEST_RATE) if lowered(state.learning_rate) == state.learning_rate else None


def _travel(position: int, future: int) -> dict[RefusalKey, Refusal | None]:
    return {
        Undo: None if position else Refusal(Reason.NOTHING_TO_UNDO),
        Redo: None if future else Refusal(Reason.NOTHING_TO_REDO),
    }


def _moves(state: State) -> dict[RefusalKey, Refusal | None]:
    """Return the refusal of every move of a statement; None for a move that can be made."""
    kinds = [statement.kind for statement in state.loop.statements]
    if state.in_pass:
        moves = (MoveStatement(kind, steps) for kind in kinds for steps in (-1, 1))
        return dict.fromkeys(moves, Refusal(Reason.IN_PASS))
    return {MoveStatement(kind, steps): _move(state, kind, steps) for kind in kinds for steps in (-1, 1)}


def _move(state: State, kind: Kind, steps: int) -> Refusal | None:
    statements = state.loop.statements
    if state.loop.leaves_inner(kind, steps):
        return Refusal(Reason.FORWARD_STAYS_INSIDE) if kind is Kind.FORWARD else None
    if steps < 0 and kind is statements[0].kind:
        return Refusal(Reason.FIRST_LINE)
    return Refusal(Reason.LAST_LINE) if steps > 0 and kind is statements[-1].kind else None


CHECKS: Final[Mapping[type[Action], Callable[[State], Refusal | None]]] = {
    Forward: _outside_pass,
    Backward: _backward,
    StepNode: _step_node,
    StepTo: _backward,
    StepNodeBack: _step_back,
    Update: _update,
    Zero: _zero,
    NextLine: _next_line,
    RunEpochs: _run_epochs,
    RunOuter: _run_outer,
    ToggleStatement: _outside_pass,
    SetOptimizer: _outside_pass,
    SetBatches: _outside_pass,
    RaiseLearningRate: _raise_rate,
    LowerLearningRate: _lower_rate,
}
"""Check of each action that may be refused because of the present state; moves and travel are separate."""
