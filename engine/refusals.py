"""Which actions cannot work now, and why: for the keys that are dimmed."""

from __future__ import annotations

from typing import Final

from engine.framing import State
from engine.loop import Kind
from engine.trainer import Graph

INSIDE: Final = "a backward pass is under way: finish it (b) or go back to its start (S)"
NO_LOSS: Final = "there is no loss to go back from yet: run forward first (f)"
NO_GRAD: Final = "there is no gradient yet: .grad is None until the first backward pass (b)"
USED: Final = "the last backward pass freed this graph: run forward for a new one (f)"
ALL_OFF: Final = "every line of the loop is commented out"


def refusals(state: State, position: int, future: int) -> dict[str, str]:
    """Give the reason for every action that cannot work in `state`, by the action's name.

    Where PyTorch itself would refuse, the action may still be tried: PyTorch then says so in its own words.
    """
    reasons = {
        "Forward": INSIDE if state.in_pass else "",
        "Backward": _no_backward(state),
        "StepNode": _no_backward(state),
        "StepNodeBack": _no_way_back(state),
        "Update": _no_gradient(state),
        "Zero": _no_gradient(state),
        "NextLine": _no_next(state),
        "RunEpochs": INSIDE if state.in_pass else "" if state.loop.enabled else ALL_OFF,
        "Undo": "" if position else "there is nothing to undo",
        "Redo": "" if future else "there is nothing to redo",
    }
    return {action: reason for action, reason in reasons.items() if reason}


def _no_backward(state: State) -> str:
    if state.in_pass:
        return ""
    if state.trainer.forward is None:
        return NO_LOSS
    return USED if state.trainer.graph is Graph.USED else ""


def _no_gradient(state: State) -> str:
    if state.in_pass:
        return INSIDE
    return NO_GRAD if any(grad is None for grad in state.trainer.grads) else ""


def _no_way_back(state: State) -> str:
    if state.passing is None:
        return "no backward pass is under way: s starts one"
    if state.passing.over:
        return "the pass is over: take back what ran since (left arrow), then step back"
    return ""


def _no_next(state: State) -> str:
    if state.in_pass:
        return ""
    following = state.loop.next
    if following is None:
        return ALL_OFF
    by_kind = {
        Kind.FORWARD: "",
        Kind.BACKWARD: _no_backward(state),
        Kind.UPDATE: _no_gradient(state),
        Kind.ZERO: _no_gradient(state),
    }
    return by_kind[following]
