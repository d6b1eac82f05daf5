"""The verdict on an edited loop, found by running it."""

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
    MoveStatement,
    NextLine,
    RunEpochs,
    SetLearningRate,
    StepNode,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.analysis.judgement import Finding
from gradstep.analysis.loop_verdict import EPOCHS
from gradstep.errors import EngineError
from gradstep.loop.loop import Kind
from gradstep.session import Session
from tests.engine.recording_checks import bits
from tests.session_strategies import problem

BY_HAND = {Kind.FORWARD: Forward(), Kind.BACKWARD: Backward(), Kind.UPDATE: Update(), Kind.ZERO: Zero()}

TO_THE_TOP = [MoveStatement(Kind.ZERO, -1)] * 3

FOUND: dict[str, tuple[list[Action], Finding]] = {
    "as it was": ([], Finding.EQUIVALENT),
    "grad = None": ([ToggleSetToNone()], Finding.EQUIVALENT),
    "grad = None first": ([ToggleSetToNone(), *TO_THE_TOP], Finding.EQUIVALENT),
    "no zeroing": ([ToggleZeroing()], Finding.ACCUMULATES),
    "no update": ([ToggleStatement(Kind.UPDATE)], Finding.NEVER_UPDATES),
    "zeroed before the update": ([MoveStatement(Kind.ZERO, -1)], Finding.NEVER_UPDATES),
    "update before backward": ([MoveStatement(Kind.UPDATE, -1)], Finding.UPDATES_TOO_SOON),
    "no backward": ([ToggleStatement(Kind.BACKWARD)], Finding.UPDATES_TOO_SOON),
    "None before the update": ([ToggleSetToNone(), MoveStatement(Kind.ZERO, -1)], Finding.UPDATES_TOO_SOON),
    "zero_() first": (TO_THE_TOP, Finding.RAISES),
    "backward before forward": ([MoveStatement(Kind.BACKWARD, -1)], Finding.RAISES),
    "nothing": ([ToggleStatement(kind) for kind in Kind], Finding.NEVER_UPDATES),
}


def after(*actions: Action) -> Session:
    session = Session(problems.load("crops"))
    for action in actions:
        session.apply(action)
    return session


def state(session: Session) -> object:
    frame = session.frame
    return (
        [(bits(one.value), bits(one.grad)) for one in frame.parameters],
        (frame.loop, frame.epoch, frame.position, str(frame.loss), len(frame.losses)),
        None if frame.backward is None else frame.backward.done,
    )


@pytest.mark.parametrize("name", FOUND)
def test_a_loop_is_found_to_do_what_it_does(name: str) -> None:
    edits, finding = FOUND[name]
    assert after(*edits).verdict().finding is finding


def test_without_zeroing_the_second_epoch_differs_and_both_numbers_are_those_of_real_runs() -> None:
    found = after(ToggleZeroing()).verdict().difference
    assert found is not None
    assert (found.epoch, found.parameter, found.index) == (2, "w", (0, 0))
    assert found.value == after(ToggleZeroing(), RunEpochs(2)).frame.parameters[0].value[0, 0].item()
    assert found.reference == after(RunEpochs(2)).frame.parameters[0].value[0, 0].item()


def test_the_first_epoch_is_named_in_which_an_error_came() -> None:
    verdict = after(MoveStatement(Kind.UPDATE, -1)).verdict()
    assert verdict.error is not None
    assert verdict.error.kind == "TypeError"
    assert verdict.epoch == 1
    assert verdict.difference is None


def test_gradients_of_other_parameters_than_those_updated_are_stale() -> None:
    w = torch.ones(2)
    w.grad = torch.full((2,), 0.5)  # so that the update has something to use before the first pass
    made = problem({"w": w}, lambda x: x * w, torch.ones(3, 2), torch.zeros(3, 2))
    session = Session(made)
    for action in (MoveStatement(Kind.UPDATE, -1), MoveStatement(Kind.ZERO, -1)):
        session.apply(action)
    assert session.frame.loop.enabled == (Kind.FORWARD, Kind.UPDATE, Kind.ZERO, Kind.BACKWARD)
    assert session.verdict().finding is Finding.STALE


def test_the_learning_rate_of_now_is_used() -> None:
    session = after(SetLearningRate(1e-6), ToggleZeroing())
    found = session.verdict().difference
    assert found is not None
    session = after(SetLearningRate(1e-6), RunEpochs(2))
    assert found.reference == session.frame.parameters[0].value[0, 0].item()


EDITS = st.sampled_from(
    [
        *(ToggleStatement(kind) for kind in Kind),
        *(MoveStatement(kind, steps) for kind in Kind for steps in (-1, 1)),
        *(Forward(), Backward(), StepNode(), NextLine(), RunEpochs(3), ToggleSetToNone()),
    ]
)


@settings(max_examples=20, deadline=None)
@given(st.lists(EDITS, max_size=8))
def test_asking_changes_nothing_and_equivalent_loops_train_alike(actions: list[Action]) -> None:
    session, untouched = (Session(problems.load("crops")) for _ in range(2))
    for action in actions:
        for one in (session, untouched):
            with suppress(EngineError):
                one.apply(action)
    verdict = session.verdict()
    assert state(session) == state(untouched)
    for _ in range(2):  # and it goes on alike
        for one in (session, untouched):
            with suppress(EngineError):
                one.apply(NextLine())
        assert state(session) == state(untouched)
    if verdict.finding is Finding.EQUIVALENT:
        edited = Session(problems.load("crops"))
        loop = session.frame.loop
        if loop.set_to_none:
            edited.apply(ToggleSetToNone())
        for kind in loop.enabled * EPOCHS:
            edited.apply(BY_HAND[kind])
        reference = after(RunEpochs(EPOCHS))
        assert [bits(one.value) for one in edited.frame.parameters] == [
            bits(one.value) for one in reference.frame.parameters
        ]
