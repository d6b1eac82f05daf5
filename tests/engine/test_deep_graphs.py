"""Deep graphs: the work of a pass grows no faster than the number of nodes, and a step's hardly at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor

from gradstep.actions import Action, Backward, Forward, RunEpochs, StepNode, StepTo
from gradstep.problem import Problem
from gradstep.session import Session

FEW, MANY = 60, 240
"""Numbers of operations; MANY is four times FEW."""


def _chain(x: Tensor, w: Tensor, length: int) -> Tensor:
    h = x * w
    for _ in range(length):
        h = h + 0.0
    return h


def _diamonds(x: Tensor, w: Tensor, length: int) -> Tensor:
    h = x * w
    for _ in range(length // 2):
        h = h + h.tanh()
    return h


def _hooked(x: Tensor, w: Tensor, length: int) -> Tensor:
    h = x * w
    for _ in range(length // 2):
        h = h + 0.0
        h.register_hook(lambda grad: grad * 1.5)
    return h


def _session(model: Callable[[Tensor, Tensor, int], Tensor], length: int) -> Session:
    w = torch.tensor([0.5, -0.25, 0.125], requires_grad=True)
    inputs, targets = torch.ones(3), torch.zeros(3)
    problem = Problem(
        name="deep",
        parameters={"w": w},
        inputs=inputs,
        targets=targets,
        model=lambda x: model(x, w, length),
        loss_fn=lambda preds, wanted: ((preds - wanted) ** 2).mean() * 1e-30,
        loss_name="loss",
        labels={"w": ((),)},
        learning_rate=0.01,
    )
    return Session(problem)


def _instructions(work: Callable[[], Any]) -> int:
    """Return the number of Python instructions that some work takes: it is the same on every machine."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _work(model: Callable[[Tensor, Tensor, int], Tensor], length: int, *actions: Action) -> int:
    """Return the instructions of the last action and of what a list of events and a ledger show of it."""
    session = _session(model, length)
    *before, last = actions
    for action in before:
        _apply_and_show(session, action)
    return _instructions(lambda: _apply_and_show(session, last))


def _apply_and_show(session: Session, action: Action) -> None:
    shown = session.apply(action)
    if shown.backward is not None:
        at = shown.backward.done
        assert shown.backward.rows[max(at - 10, 0) : at + 10]
    assert all(shown.ledger.newest_first("w"))


@pytest.mark.parametrize("model", [_chain, _diamonds, _hooked])
@pytest.mark.parametrize(
    "action", [Backward(), StepNode(), RunEpochs(3)], ids=lambda action: type(action).__name__
)
def test_the_work_of_a_pass_grows_no_faster_than_its_graph(
    model: Callable[[Tensor, Tensor, int], Tensor], action: Action
) -> None:
    _work(model, FEW, Forward(), action)  # whatever is imported or compiled once
    few, many = (_work(model, length, Forward(), action) for length in (FEW, MANY))
    assert many < 1.15 * few * MANY / FEW


@pytest.mark.parametrize("model", [_chain, _diamonds, _hooked])
def test_a_step_in_a_long_pass_takes_as_long_as_in_a_short_one(
    model: Callable[[Tensor, Tensor, int], Tensor],
) -> None:
    few, many = (
        partial(_work, model, length, Forward(), StepNode(), StepTo(length), StepNode())
        for length in (FEW, MANY)
    )
    few()
    assert many() < 1.6 * few()
