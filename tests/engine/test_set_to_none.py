"""Zeroing by `grad = None`: other states, the same training, and the two told apart."""

from __future__ import annotations

from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    NextLine,
    Redo,
    RunEpochs,
    StepNode,
    ToggleSetToNone,
    Undo,
    Update,
    Zero,
)
from gradstep.errors import Refused
from gradstep.ledger.ledger import Write, Zeroed
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_strategies import PROBLEMS


def after(*actions: Action, problem: str = "crops") -> Session:
    session = Session(PROBLEMS[problem]())
    for action in actions:
        session.apply(action)
    return session


def state(session: Session) -> list[object]:
    return [(bits(one.value), bits(one.grad)) for one in session.frame.parameters]


def test_the_loop_then_reads_grad_is_none_and_back_again() -> None:
    session = after(ToggleSetToNone())
    assert session.frame.loop.statements[-1].lines == ("w.grad = None", "b.grad = None")
    session.apply(ToggleSetToNone())
    assert session.frame.loop == after().frame.loop


def test_it_leaves_none_where_zero_would_leave_zeros_and_the_ledger_tells_them_apart() -> None:
    zeros, none = after(*[NextLine()] * 4), after(ToggleSetToNone(), *[NextLine()] * 4)
    assert all(one.grad is not None and not one.grad.any() for one in zeros.frame.parameters)
    assert all(one.grad is None for one in none.frame.parameters)
    for session, left in ((zeros, 0), (none, None)):
        newest = next(session.frame.ledger.newest_first("w"))
        assert isinstance(newest, Zeroed)
        assert (newest.after is None) == (left is None)
    none.apply(Forward())
    none.apply(Backward())
    written = next(none.frame.ledger.newest_first("w"))
    assert isinstance(written, Write)
    assert written.before is None


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_a_run_leaves_the_bits_of_the_plain_loop_with_grad_set_to_none(name: str, count: int) -> None:
    torch.manual_seed(0)
    plain = PROBLEMS[name]()
    for _ in range(count):
        plain.loss_fn(plain.model(plain.inputs), plain.targets).backward()
        with torch.no_grad():
            for leaf in plain.parameters.values():
                leaf -= leaf.grad * plain.learning_rate
        for leaf in plain.parameters.values():
            leaf.grad = None
    torch.manual_seed(0)
    session = after(ToggleSetToNone(), RunEpochs(count), problem=name)
    assert state(session) == [(bits(leaf), None) for leaf in plain.parameters.values()]


ACTIONS = st.sampled_from(
    [Forward(), Backward(), StepNode(), Update(), Zero(), NextLine(), RunEpochs(4), ToggleSetToNone()]
)


@settings(max_examples=25)
@given(st.lists(ACTIONS, max_size=25))
def test_undo_and_redo_give_the_same_bits(actions: list[Action]) -> None:
    session = Session(problems.load("crops"))
    seen = [(state(session), session.frame.loop)]
    for action in actions:
        before = session.frame.position
        with suppress(Refused, PyTorchError):
            session.apply(action)
        if session.frame.position > before:
            seen.append((state(session), session.frame.loop))
    for wanted in seen[-2::-1]:
        session.apply(Undo())
        assert (state(session), session.frame.loop) == wanted
    for wanted in seen[1:]:
        session.apply(Redo())
        assert (state(session), session.frame.loop) == wanted


def test_zeroing_what_is_none_already_is_no_error_then() -> None:
    session = after(ToggleSetToNone(), Forward())
    assert session.frame.refusal(Zero()) is None
    session.apply(Zero())
    assert list(session.frame.ledger.newest_first("w")) == []


def test_an_update_right_after_it_is_pytorchs_error() -> None:
    session = after(ToggleSetToNone(), *[NextLine()] * 4)
    with pytest.raises(PyTorchError, match="NoneType"):
        session.apply(Update())
