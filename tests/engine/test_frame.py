"""Frames tell what a screen must show, and nothing changes them afterwards."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Reset,
    RunEpochs,
    RunOuter,
    SetBatches,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
    refusal_key,
)
from gradstep.errors import EngineError, Refused
from gradstep.frame import Frame
from gradstep.loop.batches import FULL
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_strategies import crops

ACTIONS: list[Action] = [
    Forward(),
    Backward(),
    StepNode(),
    StepNodeBack(),
    Update(),
    Zero(),
    NextLine(),
    RunEpochs(3),
    ToggleZeroing(),
    *map(ToggleStatement, Kind),
    *[MoveStatement(kind, steps) for kind in Kind for steps in (-1, 1)],
    SetOptimizer(HAND),
    SetBatches(FULL),
    RaiseLearningRate(),
    LowerLearningRate(),
    Reset(),
    Undo(),
    Redo(),
]

ENDS = {refusal_key(MoveStatement(Kind.FORWARD, -1)), refusal_key(MoveStatement(Kind.ZERO, 1))}
"""The edits that the notebook's loop refuses."""

EDITS = {
    refusal_key(one)
    for one in ACTIONS
    if isinstance(one, ToggleStatement | MoveStatement | SetOptimizer | SetBatches)
}
"""Those that are refused inside a pass."""


def contents(frame: Frame) -> object:
    """Everything in a frame that could change under a reader."""
    return (
        [(bits(one.value), bits(one.value_before), bits(one.grad)) for one in frame.parameters],
        bits(frame.preds),
        [str(frame.losses[epoch]) for epoch in range(len(frame.losses))],
        (str(frame.loss), frame.epoch, frame.position, frame.future, frame.notice, dict(frame.refusals)),
        None if frame.backward is None else (frame.backward.done, frame.backward.rows),
    )


@given(st.lists(st.sampled_from(ACTIONS), max_size=25))
@settings(max_examples=50)
def test_no_later_action_changes_a_frame(actions: list[Action]) -> None:
    session = Session(crops())
    frames = [session.frame]
    then = [contents(session.frame)]
    for action in actions:
        reason = session.frame.refusal(action)
        try:
            frame = session.apply(action)
        except EngineError:
            assert reason or isinstance(action, RunEpochs)  # PyTorch may refuse one of its later lines
            frame = session.frame
        else:
            assert reason is None
            assert session.frame is frame
        frames.append(frame)
        then.append(contents(frame))
    assert [contents(frame) for frame in frames] == then


@pytest.mark.parametrize(
    ("actions", "refused"),
    [
        ([], {Backward, StepNode, StepTo, StepNodeBack, Update, Zero, Undo, Redo}),
        ([Forward()], {StepNodeBack, Update, Zero, Redo}),
        ([Forward(), StepNode()], {Forward, Update, Zero, Redo}),
        ([Forward(), Backward()], {Backward, StepNode, StepTo, Redo}),
        ([Forward(), Backward(), Update()], {Backward, StepNode, StepTo, StepNodeBack, Redo}),
        ([RunEpochs(2)], {Backward, StepNode, StepTo, StepNodeBack, Redo}),
        (
            [RunEpochs(3), Undo()],
            {Backward, StepNode, StepTo, StepNodeBack, Update, Zero, Undo},
        ),
    ],
)
def test_a_frame_lists_what_would_be_refused_and_why(actions: list[Action], refused: set[RefusalKey]) -> None:
    session = Session(crops())
    for action in actions:
        session.apply(action)
    frame = session.frame
    refused |= {RunOuter} | (EDITS if frame.in_pass else ENDS)
    assert set(frame.refusals) == refused
    assert all(0 < len(reason) < 100 and "\n" not in reason for reason in map(str, frame.refusals.values()))
    for action in ACTIONS:
        if refusal_key(action) in refused:
            with pytest.raises((Refused, PyTorchError)):
                session.apply(action)
            assert session.frame is frame


def test_frames_are_immutable_and_compare_by_identity() -> None:
    session = Session(crops())
    one, other = session.frame, session.apply(Forward())
    assert one == one
    assert one != other
    assert len({one, other, *one.parameters}) == 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.epoch = 3  # type: ignore[misc]


def test_a_frame_marks_what_the_last_action_changed() -> None:
    session = Session(crops())
    w = session.frame.parameters[0]
    assert (w.value_before, w.grad, w.grad_changed, session.frame.loss_changed) == (None, None, False, False)
    frame = session.apply(Forward())
    assert (frame.loss_changed, frame.stale, frame.loss_before) == (True, False, None)
    frame = session.apply(Backward())
    assert (frame.parameters[0].grad_changed, frame.loss_changed) == (True, False)
    frame = session.apply(Update())
    assert (frame.parameters[0].grad_changed, frame.stale) == (False, True)
    assert bits(frame.parameters[0].value_before) == bits(w.value)
    frame = session.apply(Zero())
    assert (frame.parameters[0].grad_changed, frame.parameters[0].value_before) == (True, None)
    frame = session.apply(Forward())
    assert (frame.loss_before, frame.stale) == (frame.losses[0], False)
    # Undo marks what it changed, too.
    for _ in range(3):
        updated = frame
        frame = session.apply(Undo())
    assert bits(frame.parameters[0].value_before) == bits(updated.parameters[0].value)


def test_accumulation_is_shown_from_the_node_that_wrote_to_the_next_statement() -> None:
    session = Session(crops())
    session.apply(Forward())
    shown = []
    while session.apply(StepNode()).in_pass:
        shown.append([one.accumulation is not None for one in session.frame.parameters])
    assert shown[0] == [False, False]
    assert [False, True] in shown
    last = session.frame
    assert all(one.accumulation is not None for one in last.parameters)
    assert all(one.accumulation is None for one in session.apply(Update()).parameters)
    assert last.backward is not None
    rows = [row.name for row in last.backward.rows]
    assert {"-> w.grad", "-> b.grad", "Div", "Sum", "Mul", "Sub", "Add", "Mm", "T"} <= set(rows)
    assert "engine" in rows


def test_inside_a_pass_the_next_line_is_backward() -> None:
    session = Session(crops())
    for action in (Forward(), Backward(), StepNodeBack()):
        frame = session.apply(action)
    assert (frame.in_pass, frame.next) == (True, Kind.BACKWARD)
    # Also where it was begun out of the loop's order.
    for action in (Backward(), Forward(), Update(), StepNode()):
        frame = session.apply(action)
    assert (frame.in_pass, frame.next) == (True, Kind.BACKWARD)


def test_predictions_are_those_of_the_loss() -> None:
    session = Session(crops())
    assert session.frame.preds is None
    frame = session.apply(Forward())
    assert frame.preds is not None
    assert frame.preds.shape == (5, 2)
    diff = frame.preds - crops().targets
    assert (torch.sum(diff * diff) / diff.numel()).item() == frame.loss


def test_a_loss_that_no_epoch_computed_is_none_not_nan() -> None:
    session = Session(crops())
    for action in (Forward(), Backward(), Update(), Zero(), Update(), Zero(), Forward()):
        frame = session.apply(action)
    assert (frame.epoch, frame.loss_before) == (2, None)
    assert math.isnan(frame.losses[1])
