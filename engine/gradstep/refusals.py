"""Which actions cannot work now, and why: for keys that are dimmed, and for whoever tries all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gradstep.actions import MoveStatement, refusal_key
from gradstep.loop.learning_rate import lowered, raised
from gradstep.loop.loop import Kind
from gradstep.training.snapshots import Graph
from gradstep.training.state import State

INSIDE: Final = "a backward pass is under way: finish it (b) or go back to its start (S)"
NO_PASS: Final = "no backward pass is under way: s starts one"
OVER: Final = "the pass is over: take back what ran since (left arrow), then step back"
ALL_OFF: Final = "every line of the loop is commented out"
DIVERGED: Final = "this epoch's loss is {loss}: backward would spread it; take the epoch back (left arrow)"
FIRST: Final = "this line is the first of the loop already"
LAST: Final = "this line is the last of the loop already"
NEEDS_PART: Final = "forward needs i, which the for line makes: it stays inside the inner loop"
HIGHEST: Final = "that is the highest learning rate that the keys give; type one to go on"
LOWEST: Final = "that is the lowest learning rate that the keys give; type one to go on"
NO_UNDO: Final = "there is nothing to undo"
NO_REDO: Final = "there is nothing to redo"

NO_LOSS: Final = "there is no loss to go back from yet: run forward first (f)"
NO_GRAD: Final = "there is no gradient yet: .grad is None until the first backward pass (b)"
USED: Final = "the last backward pass freed this graph: run forward for a new one (f)"

PYTORCHS: Final = frozenset({NO_LOSS, NO_GRAD, USED})
"""The reasons that are PyTorch's: the action may be tried, and PyTorch then refuses in its own words."""


def refusals(state: State, position: int, future: int) -> dict[str, str]:
    """Give the reason for every action that cannot work in `state`, by `gradstep.actions.refusal_key`."""
    reasons = {name: reason(state) for name, reason in REASONS.items()}
    reasons |= _no_moves(state) | _no_travel(position, future)
    return {action: reason for action, reason in reasons.items() if reason}


def refusal(state: State, position: int, future: int, key: str) -> str:
    """Give the reason against one action, by its `gradstep.actions.refusal_key`; empty where it can work."""
    if key in REASONS:
        return REASONS[key](state)
    if key.startswith("MoveStatement"):
        return _no_moves(state).get(key, "")
    return _no_travel(position, future).get(key, "")


def _inside(state: State) -> str:
    return INSIDE if state.in_pass else ""


def _no_backward(state: State) -> str:
    if state.in_pass:
        return ""
    if state.trainer.forward is None:
        return NO_LOSS
    return "" if state.trainer.graph is Graph.LIVE else USED


def _no_gradient(state: State) -> str:
    """An optimizer passes over what has no gradient; the hand-written lines cannot."""
    if state.in_pass:
        return INSIDE
    if not state.loop.optimizer.by_hand:
        return ""
    return NO_GRAD if any(grad is None for grad in state.trainer.grads) else ""


def _no_zeroing(state: State) -> str:
    """None can always be set, also where it is None already."""
    if state.loop.set_to_none:
        return INSIDE if state.in_pass else ""
    return _no_gradient(state)


def _no_way_back(state: State) -> str:
    if state.passing is None:
        return NO_PASS
    return OVER if state.passing.over else ""


def _no_next(state: State) -> str:
    match state.loop.next:
        case _ if state.in_pass:
            return ""
        case None:
            return ALL_OFF
        case Kind.FORWARD:
            return ""
        case Kind.BACKWARD:
            return _no_backward(state)
        case Kind.UPDATE:
            return _no_gradient(state)
        case Kind.ZERO:
            return _no_zeroing(state)


def _no_run(state: State) -> str:
    if state.in_pass:
        return INSIDE
    if state.diverged and state.loop.next not in (Kind.FORWARD, None):
        return DIVERGED.format(loss=state.loss)
    return _no_next(state)


def _not_higher(state: State) -> str:
    return HIGHEST if raised(state.learning_rate) == state.learning_rate else ""


def _not_lower(state: State) -> str:
    return LOWEST if lowered(state.learning_rate) == state.learning_rate else ""


def _no_travel(position: int, future: int) -> dict[str, str]:
    return {"Undo": "" if position else NO_UNDO, "Redo": "" if future else NO_REDO}


def _no_moves(state: State) -> dict[str, str]:
    """Give the reason for each move of a statement; empty where it can be made."""
    kinds = [statement.kind for statement in state.loop.statements]
    moves = [MoveStatement(kind, steps) for kind in kinds for steps in (-1, 1)]
    leaving = [move for move in moves if state.loop.leaves_inner(move.kind, move.steps)]
    ends = {MoveStatement(kinds[0], -1): FIRST, MoveStatement(kinds[-1], 1): LAST}
    ends |= {move: NEEDS_PART if move.kind is Kind.FORWARD else "" for move in leaving}
    return {refusal_key(move): INSIDE if state.in_pass else ends.get(move, "") for move in moves}


REASONS: Final[Mapping[str, Callable[[State], str]]] = {
    "Forward": _inside,
    "Backward": _no_backward,
    "StepNode": _no_backward,
    "StepTo": _no_backward,
    "StepNodeBack": _no_way_back,
    "Update": _no_gradient,
    "Zero": _no_zeroing,
    "NextLine": _no_next,
    "RunEpochs": _no_run,
    "ToggleStatement": _inside,
    "SetOptimizer": _inside,
    "SetBatches": _inside,
    "RaiseLearningRate": _not_higher,
    "LowerLearningRate": _not_lower,
}
"""For each action that cannot always work, what says why; empty where it can."""
