"""A loop that a learner edited: any statements in any order, with the bits of the same lines of Python."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    MoveStatement,
    NextLine,
    Redo,
    RunEpochs,
    StepNode,
    ToggleStatement,
    ToggleZeroing,
    Undo,
)
from gradstep.errors import BadInput, Refused
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.notices import RunDiverged, RunStopped
from gradstep.session import Session
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_strategies import PROBLEMS, Plain, crops, edits_to, orders, perceptron, session_with

F, B, U, Z = Kind


def shown(frame: Frame) -> object:
    """Parameters and gradients of a frame, as bits."""
    return [bits(one.value) for one in frame.parameters], [bits(one.grad) for one in frame.parameters]


def plain_run(plain: Plain, kinds: list[Kind], rate: float) -> Exception | None:
    """Run statements until one raises, or a loss is not finite; give what it raised."""
    for kind in kinds:
        try:
            plain.run(kind, rate)
        except (RuntimeError, TypeError, AttributeError, NameError) as error:
            return error
        if kind is F and not plain.finite:
            return None
    return None


# The same bits


@given(
    st.sampled_from(sorted(PROBLEMS)),
    orders,
    st.lists(st.sampled_from([F, B]), max_size=3),
    st.integers(1, 6),
    st.sampled_from([1e-6, 1e-2, 50.0]),
)
@example("crops", (B, U, Z, F), [F], 6, 1e-6)
@example("crops", (Z, F, B, U), [F, B], 6, 1.0)
@example("crops", (F, U, B), [F, B, F], 5, 1e-6)
@example("perceptron", (F, U, B, Z), [F, B, F], 5, 1e-2)
@example("dropout", (U, Z, F, B), [F, B], 6, 50.0)
@example("line", (U,), [F, B], 6, 1e-2)
@settings(max_examples=50, deadline=None)
def test_a_run_of_any_loop_has_the_bits_of_the_same_lines_of_python(
    name: str, order: tuple[Kind, ...], before: list[Kind], count: int, rate: float
) -> None:
    torch.manual_seed(0)
    session, plain = session_with(PROBLEMS[name](), rate, order), Plain(PROBLEMS[name]())
    plain.rng = torch.get_rng_state()
    for kind in before:
        refused = plain_run(plain, [kind], rate)
        try:
            session.apply(Forward() if kind is F else Backward())
        except PyTorchError:
            assert refused
    rest = [*session.frame.loop.rest(), *order * (count - 1)]
    start = session.frame
    failed: PyTorchError | None = None
    try:
        frame = session.apply(RunEpochs(count))
    except Refused:
        assert not plain.finite
        return
    except PyTorchError as error:
        failed, frame = error, session.frame
    expected = plain_run(plain, rest, rate)
    assert (failed is None) is (expected is None)
    if failed is not None:
        assert failed.kind == type(expected).__name__
    assert shown(frame) == plain.state()
    if plain.loss is not None:
        assert frame.loss is not None
        assert bits(torch.tensor(frame.loss, dtype=plain.loss.dtype)) == bits(plain.loss)
    if frame is not start:
        there = shown(frame)
        assert shown(session.apply(Undo())) == shown(start)
        assert shown(session.apply(Redo())) == there


@given(orders, st.integers(1, 9))
@settings(deadline=None)
def test_going_line_by_line_and_running_epochs_come_to_the_same(order: tuple[Kind, ...], count: int) -> None:
    by_line, by_epoch = (session_with(crops(), 1e-5, order) for _ in range(2))
    for session in (by_line, by_epoch):
        session.apply(Forward())
        session.apply(Backward())
    lines = len(by_line.frame.loop.rest()) + (count - 1) * len(order)
    words = []
    for session, actions in ((by_line, [NextLine()] * lines), (by_epoch, [RunEpochs(count)])):
        try:
            for action in actions:
                session.apply(action)
        except PyTorchError as error:
            words.append(str(error))
    assert len(words) in (0, 2)
    assert len({*words}) <= 1
    assert shown(by_line.frame) == shown(by_epoch.frame)
    one, other = by_line.frame, by_epoch.frame
    assert (one.epoch, one.next, one.loss) == (other.epoch, other.next, other.loss)


@pytest.mark.parametrize("order", [(Z, F, B, U), (F, B, U), (B, U, Z, F), (U, F, B)])
def test_a_diverging_run_of_an_edited_loop_stops_at_the_loss_that_is_not_finite(
    order: tuple[Kind, ...],
) -> None:
    rate = 1.0
    session, plain = session_with(crops(), rate, order), Plain(crops())
    for kind, action in ((F, Forward()), (B, Backward())):
        plain.run(kind, rate)
        session.apply(action)
    if order[0] is B:
        plain.run(F, rate)
        session.apply(Forward())
    rest = list(session.frame.loop.rest())
    frame = session.apply(RunEpochs(100_000))
    assert plain_run(plain, [*rest, *order * 1000], rate) is None
    assert not plain.finite
    assert isinstance(frame.notice, RunDiverged)
    assert shown(frame) == plain.state()


def test_epochs_without_a_loss_tell_how_far_they_are_and_can_be_stopped() -> None:
    session = session_with(crops(), 1e-5, (U,))
    session.apply(Forward())
    session.apply(Backward())
    seen: list[Progress] = []

    def stopped() -> bool:
        assert session.progress is not None
        seen.append(session.progress)
        return len(seen) == 10

    frame = session.apply(RunEpochs(100), stopped)
    assert seen[-1].done == frame.epoch == 9
    assert frame.notice == RunStopped(9, 100)
    assert session.apply(RunEpochs(7)).epoch == frame.epoch + 7


# Errors are PyTorch's


def apply_until_refused(session: Session, action: Action) -> None:
    """Apply an action as often as there are lines in a loop."""
    for _ in Kind:
        session.apply(action)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ((B, F, U, Z), "name 'loss' is not defined"),
        ((F, U, B, Z), "unsupported operand type(s) for *: 'NoneType'"),
        ((Z, F, B, U), "'NoneType' object has no attribute 'zero_'"),
        ((F, U), "unsupported operand type(s) for *: 'NoneType'"),
        ((B,), "name 'loss' is not defined"),
    ],
)
@pytest.mark.parametrize("run", [NextLine(), RunEpochs(1), RunEpochs(50)])
def test_a_loop_that_cannot_work_shows_pytorchs_own_error_and_keeps_what_ran_before(
    order: tuple[Kind, ...], words: str, run: Action
) -> None:
    session = session_with(crops(), 1e-5, order)
    with pytest.raises(PyTorchError) as caught:
        apply_until_refused(session, run)
    assert words in caught.value.own_words
    assert caught.value.lesson
    assert (session.frame.loss is not None) is (order[0] is F)


def test_an_update_moved_before_backward_breaks_the_graph_where_pytorch_says_so() -> None:
    session = session_with(perceptron(), 0.1, (F, B, U, Z))
    session.apply(RunEpochs(3))
    session.apply(MoveStatement(U, -1))
    with pytest.raises(PyTorchError, match="modified by an inplace operation"):
        session.apply(RunEpochs(100))
    assert session.frame.next is B
    plain = Plain(perceptron()).epochs(3, 0.1)
    for kind in (F, U):
        plain.run(kind, 0.1)
    assert [bits(one.value) for one in session.frame.parameters] == plain.state()[0]


# Editing is an action like any other


@given(orders)
@settings(deadline=None)
def test_edits_are_undone_and_done_again_and_touch_no_number(order: tuple[Kind, ...]) -> None:
    session = Session(crops())
    session.apply(RunEpochs(2))
    start = session.frame
    loops = [start.loop]
    for edit in edits_to(order):
        frame = session.apply(edit)
        assert shown(frame) == shown(start)
        assert (frame.epoch, frame.loss) == (start.epoch, start.loss)
        loops.append(frame.loop)
    assert session.frame.loop.enabled == order
    for loop in reversed(loops[:-1]):
        assert session.apply(Undo()).loop == loop
    for loop in loops[1:]:
        assert session.apply(Redo()).loop == loop
    assert session.frame.next is order[0]


def test_commenting_zero_out_by_its_own_action_is_the_same_edit() -> None:
    one, other = Session(crops()), Session(crops())
    assert one.apply(ToggleZeroing()).loop == other.apply(ToggleStatement(Z)).loop


@pytest.mark.parametrize("edit", [ToggleStatement(B), MoveStatement(U, -1), MoveStatement(F, -1)])
def test_inside_a_pass_the_loop_is_not_edited(edit: Action) -> None:
    session = Session(crops())
    session.apply(Forward())
    before = session.apply(StepNode())
    with pytest.raises(Refused, match="a backward pass is under way") as caught:
        session.apply(edit)
    assert before.refusal(edit) == caught.value.refusal
    assert session.frame is before


@pytest.mark.parametrize(
    ("edit", "words"),
    [(MoveStatement(F, -1), "the first of"), (MoveStatement(Z, 1), "the last of")],
)
def test_at_an_end_of_the_loop_a_line_does_not_move_further(edit: MoveStatement, words: str) -> None:
    session = Session(crops())
    before = session.frame
    with pytest.raises(Refused, match=words) as caught:
        session.apply(edit)
    assert before.refusal(edit) == caught.value.refusal
    assert session.frame is before
    back = session.apply(MoveStatement(edit.kind, -edit.steps))
    assert back.refusal(edit) is None
    assert session.apply(edit).loop == before.loop


@pytest.mark.parametrize("action", [NextLine(), RunEpochs(1), RunEpochs(9)])
@pytest.mark.parametrize("rate", [1e-5, 1.0])
def test_with_every_line_commented_out_nothing_runs(action: Action, rate: float) -> None:
    session = Session(crops(), rate)
    session.apply(RunEpochs(1000))
    for kind in Kind:
        frame = session.apply(ToggleStatement(kind))
    assert (frame.next, frame.loop.enabled) == (None, ())
    with pytest.raises(Refused, match="every line of the loop is commented out"):
        session.apply(action)
    assert session.frame is frame
    assert session.apply(ToggleStatement(F)).next is F


@pytest.mark.parametrize(
    "edit",
    [
        ToggleStatement("sideways"),  # type: ignore[arg-type]
        ToggleStatement(None),  # type: ignore[arg-type]
        MoveStatement([], 1),  # type: ignore[arg-type]
        MoveStatement(F, 0),
        MoveStatement(F, 2),
        MoveStatement(F, True),
        MoveStatement(F, "up"),  # type: ignore[arg-type]
    ],
)
def test_an_edit_that_is_none_changes_nothing(edit: Action) -> None:
    session = Session(crops())
    before = session.frame
    with pytest.raises(BadInput):
        session.apply(edit)
    assert session.frame is before


def test_a_kind_may_be_given_by_its_name() -> None:
    assert not Session(crops()).apply(ToggleStatement("zero")).loop.is_enabled(Z)  # type: ignore[arg-type]
