"""A session's time: what each action leaves, what it refuses, and how it comes back."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import pytest
import torch
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    MoveStatement,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.autograd.events import NodeEvent
from gradstep.autograd.trace import Trace, record_backward
from gradstep.errors import NotAScalar, Refused
from gradstep.frame import Frame
from gradstep.loop.batches import Batches
from gradstep.loop.loop import Kind
from gradstep.loop.reference import reference_loop
from gradstep.reasons import Reason, Refusal
from gradstep.session import Session
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.state import State
from gradstep.training.stepper import Statements
from gradstep.training.trainer import Trainer
from tests.ctrl_c import ctrl_c_ends_it, press_ctrl_c
from tests.engine.recording_checks import bits
from tests.session_strategies import Plain, crops, perceptron, problem


def after(*actions: Action, session: Session | None = None) -> Session:
    """Give a session to which these actions were applied."""
    session = session or Session(crops())
    for action in actions:
        session.apply(action)
    return session


def plain_after(*kinds: Kind) -> Plain:
    """Give plain training after these statements."""
    plain = Plain(crops())
    for kind in kinds:
        plain.run(kind, 1e-5)
    return plain


def shown(frame: Frame) -> object:
    """Parameters and gradients of a frame, as bits."""
    return [bits(one.value) for one in frame.parameters], [bits(one.grad) for one in frame.parameters]


F, B, U, Z = Kind


# What PyTorch allows


@pytest.mark.parametrize(
    ("actions", "kinds"),
    [
        ([Forward(), Backward(), Update(), Update()], [F, B, U, U]),
        ([Forward(), Backward(), Forward(), Backward()], [F, B, F, B]),
        ([Forward(), Backward(), Update(), Forward(), Update(), Backward()], [F, B, U, F, U, B]),
        ([Forward(), Forward(), Backward(), Zero(), Update()], [F, F, B, Z, U]),
        ([Forward(), Backward(), Zero(), Update(), Forward(), Backward()], [F, B, Z, U, F, B]),
    ],
)
def test_what_pytorch_allows_gives_pytorchs_bits(actions: list[Action], kinds: list[Kind]) -> None:
    session = after(*actions)
    assert shown(session.frame) == plain_after(*kinds).state()
    for _ in actions:
        session.apply(Undo())
    assert shown(session.frame) == shown(Session(crops()).frame)
    for _ in actions:
        session.apply(Redo())
    assert shown(session.frame) == plain_after(*kinds).state()


def test_without_zeroing_the_second_gradient_is_twice_the_first() -> None:
    once = after(Forward(), Backward()).frame
    twice = after(Forward(), Backward(), Forward(), Backward()).frame
    for one, two in zip(once.parameters, twice.parameters, strict=True):
        assert one.grad is not None
        assert bits(two.grad) == bits(one.grad + one.grad)
        assert two.accumulation is not None
        assert bits(two.accumulation.before) == bits(two.accumulation.part) == bits(one.grad)


def test_a_graph_that_undo_brings_back_backpropagates_to_the_same_bits() -> None:
    session = after(Forward(), Backward(), Update(), Zero(), Forward())
    there = session.apply(Backward())
    for _ in range(5):
        session.apply(Undo())
    for _ in range(4):
        session.apply(Redo())
    assert session.frame.position == 5
    assert shown(session.apply(Backward())) == shown(there) == plain_after(F, B, U, Z, F, B).state()


def test_a_stale_graph_that_undo_brings_back_is_that_of_the_old_parameters() -> None:
    session = after(Forward(), Backward(), Forward(), Update(), Backward(), Undo())
    assert session.frame.stale
    assert shown(session.apply(Backward())) == plain_after(F, B, F, U, B).state()


# What PyTorch refuses


def refusal(session: Session, action: Action) -> PyTorchError:
    with pytest.raises(PyTorchError) as caught:
        session.apply(action)
    return caught.value


def test_a_second_backward_shows_pytorchs_own_error_also_after_undo_and_redo() -> None:
    session = after(Forward(), Backward())
    before = session.frame
    with pytest.raises(RuntimeError) as pytorchs:
        plain_after(F, B, B)
    first_line = str(pytorchs.value).split("\n")[0]
    error = refusal(session, Backward())
    assert error.own_words == first_line
    assert (error.kind, error.lesson) == (
        "RuntimeError",
        "Run forward again for a new graph: a backward pass frees the tensors that its graph has saved.",
    )
    assert session.frame is before
    after(Update(), session=session)
    assert refusal(session, StepNode()).own_words == first_line
    after(Undo(), session=session)
    assert refusal(session, Backward()).own_words == first_line
    after(Undo(), Undo(), Redo(), Redo(), session=session)
    assert refusal(session, Backward()).own_words == first_line
    assert shown(session.frame) == shown(before)


def test_a_step_beyond_the_last_node_is_refused_without_an_error() -> None:
    session = after(Forward(), *[StepNode()] * 11)
    with pytest.raises(Refused) as refused:
        session.apply(StepNode())
    assert refused.value.refusal.reason is Reason.PASS_FINISHED
    session.apply(StepNodeBack())
    session.apply(StepNode())
    session.apply(Update())


@pytest.mark.parametrize(
    ("action", "kind", "words"),
    [
        (Backward(), "NameError", "name 'loss' is not defined"),
        (StepNode(), "NameError", "name 'loss' is not defined"),
        (Update(), "TypeError", "unsupported operand type(s) for *: 'NoneType' and 'float'"),
        (Zero(), "AttributeError", "'NoneType' object has no attribute 'zero_'"),
    ],
)
def test_a_statement_without_what_it_needs_shows_pythons_own_error(
    action: Action, kind: str, words: str
) -> None:
    session = Session(crops())
    before = session.frame
    error = refusal(session, action)
    assert (error.kind, error.own_words) == (kind, words)
    assert "first" in error.lesson
    assert session.frame is before


def test_an_update_between_forward_and_backward_breaks_a_graph_that_saved_the_parameter() -> None:
    session = after(*[NextLine()] * 4, Forward(), Update(), session=Session(perceptron(), 0.1))
    before = session.frame
    error = refusal(session, Backward())
    assert "modified by an inplace operation" in error.own_words
    assert "Run backward before the update" in error.lesson
    # It is broken for good: also once it has been undone and done again, and by the same update done again.
    broken = refusal(session, Backward())
    after(Undo(), Redo(), session=session)
    assert refusal(session, Backward()).lesson == broken.lesson
    after(Undo(), session=session)
    assert shown(session.frame) == shown(before)
    assert "modified by an inplace operation" in refusal(session, Backward()).own_words


def test_a_graph_that_broke_says_the_same_after_undo_and_redo_as_at_once() -> None:
    a, b = torch.ones(2), torch.ones(2)

    def model(x: Tensor) -> Tensor:
        return x * a * b  # saves b

    made = problem({"a": a, "b": b}, model, torch.ones(2), torch.zeros(2), loss_fn=lambda p, t: (p - t).sum())
    session = after(Forward(), Backward(), Forward(), Update(), session=Session(made, 0.1))
    words = [refusal(session, Backward()).lesson, refusal(session, Backward()).lesson]
    assert words[0] == words[1] != ""
    after(Undo(), Redo(), session=session)
    assert refusal(session, Backward()).lesson == words[0]


def test_an_update_that_moves_no_bit_is_still_a_write_after_undo() -> None:
    session = after(*[NextLine()] * 4, Forward(), Update(), session=Session(perceptron(), 0.1))
    first, second = session.frame.parameters
    assert (first.value_before, second.value_before) == (None, None)
    after(Undo(), Redo(), session=session)
    assert "modified by an inplace operation" in refusal(session, Backward()).own_words


def test_what_pytorch_did_before_it_refused_stays_and_can_be_undone() -> None:
    a, b, c = torch.ones(2), torch.ones(2), torch.ones(2)

    def model(x: Tensor) -> Tensor:
        return x * a + c

    session = after(
        Forward(), Backward(), session=Session(problem({"a": a, "b": b, "c": c}, model, a * 2, a), 0.1)
    )
    before = session.frame
    assert "NoneType" in refusal(session, Update()).own_words
    changed = [one.value_before is not None for one in session.frame.parameters]
    assert changed == [True, False, False]
    assert session.frame.position == before.position + 1
    assert session.frame.next is before.next
    assert shown(session.apply(Undo())) == shown(before)


def test_a_loss_that_no_parameter_led_to_shows_pytorchs_own_error() -> None:
    made = problem({"a": torch.ones(2)}, lambda x: x, torch.ones(2), torch.zeros(2))
    error = refusal(after(Forward(), session=Session(made)), Backward())
    assert "does not require grad" in error.own_words
    assert error.lesson


def test_a_loss_of_several_numbers_is_refused_with_its_shape() -> None:
    a = torch.ones(2)
    made = problem({"a": a}, lambda x: x * a, torch.ones(2), torch.zeros(2), loss_fn=torch.sub)
    session = Session(made)
    before = session.frame
    with pytest.raises(NotAScalar, match=r"\(2,\)"):
        session.apply(Forward())
    assert session.frame is before


def test_a_model_that_raises_is_shown_in_its_own_words_and_changes_nothing() -> None:
    a = torch.ones(2)
    session = Session(problem({"a": a}, lambda x: x @ torch.ones(3) * a, torch.ones(2), torch.zeros(2)))
    before = session.frame
    assert "size" in refusal(session, Forward()).own_words
    assert session.frame is before


@pytest.mark.parametrize("action", [Backward(), StepNode(), NextLine(), RunEpochs(1)])
def test_ctrl_c_in_the_middle_of_a_pass_takes_the_pass_back(action: Action) -> None:
    a, b = torch.ones(2), torch.ones(2)
    passes = [0]

    def model(x: Tensor) -> Tensor:
        scaled = x * a
        scaled.register_hook(lambda grad: interrupt())
        return scaled + b

    def interrupt() -> None:
        passes[0] += 1
        if passes[0] == 2:
            press_ctrl_c()

    session = after(
        Forward(), Backward(), Forward(), session=Session(problem({"a": a, "b": b}, model, a * 2, b))
    )
    before = session.frame
    with ctrl_c_ends_it():
        session.apply(action)
    assert session.frame is before
    assert [bits(leaf.grad) for leaf in (a, b)] == [bits(one.grad) for one in before.parameters]
    grads = [one.grad for one in session.apply(Backward()).parameters]
    assert [bits(grad) for grad in grads] == [
        bits(one.grad * 2) for one in before.parameters if one.grad is not None
    ]


# Inside a pass


@pytest.fixture
def inside() -> Session:
    return after(*[NextLine()] * 4, ToggleZeroing(), Forward(), StepNode(), StepNode())


@pytest.mark.parametrize("action", [Forward(), Update(), Zero()])
def test_inside_a_pass_other_statements_are_refused(inside: Session, action: Action) -> None:
    before = inside.frame
    with pytest.raises(Refused, match="a backward pass is under way"):
        inside.apply(action)
    assert inside.frame is before
    assert inside.frame.refusal(action) == Refusal(Reason.IN_PASS)


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize(
    "edits", [(), (SetBatches(Batches("micro", 2)),), (MoveStatement(Kind.BACKWARD, 1),) * 2]
)
def test_epochs_in_the_middle_of_a_pass_finish_it_and_go_on_as_one_action(
    count: int, edits: tuple[Action, ...]
) -> None:
    def state(session: Session) -> list[object]:
        found = session.frame
        grads = [(bits(one.value), None if one.grad is None else bits(one.grad)) for one in found.parameters]
        return [grads, found.epoch, str(found.loss), found.loop]

    begin = (RunEpochs(1), *edits, Forward(), *([Update(), Zero()] if len(edits) == 2 else []))
    session = after(*begin, StepNode(), StepNode())
    inside, position = state(session), session.frame.position
    assert session.frame.refusal(RunEpochs(count)) is None
    session.apply(RunEpochs(count))
    assert state(session) == state(after(*begin, RunEpochs(count)))
    assert session.frame.position == position + 1
    there = state(session)
    session.apply(Undo())
    assert state(session) == inside
    assert session.frame.in_pass
    session.apply(Redo())
    assert state(session) == there
    again = after(*session.line())
    assert state(again) == there


def test_epochs_in_a_pass_that_is_not_the_loops_next_statement_are_refused() -> None:
    session = after(ToggleStatement(Kind.BACKWARD), Forward(), StepNode())
    assert session.frame.refusal(RunEpochs(1)) == Refusal(Reason.IN_PASS)


@pytest.mark.parametrize("action", [Backward(), NextLine()])
def test_the_rest_of_a_pass_leaves_the_bits_of_a_whole_one(inside: Session, action: Action) -> None:
    frame = inside.apply(action)
    assert frame.backward is not None
    assert frame.backward.finished
    assert frame.next is Kind.UPDATE
    assert shown(frame) == plain_after(F, B, U, Z, F, B).state()


def whole_trace() -> Trace:
    """The pass that `inside` is in, recorded without a session."""
    plain = plain_after(F, B, U, Z, F)
    assert plain.loss is not None
    return record_backward(plain.loss, names=plain.problem.parameters)


def test_each_step_shows_every_grad_as_it_was_at_that_node(inside: Session) -> None:
    after(StepNodeBack(), session=inside)
    trace, plain = whole_trace(), plain_after(F, B, U, Z, F)
    expected = {name: leaf.grad for name, leaf in plain.problem.parameters.items()}
    seen = []
    for done in range(1, len(trace) + 1):
        event = trace.events[done - 1]
        written = event.accumulation if isinstance(event, NodeEvent) else None
        if written is not None and written.parameter is not None:
            assert bits(expected[written.parameter]) == bits(written.before)
            expected[written.parameter] = written.after
        frame = inside.frame
        assert frame.backward is not None
        assert (frame.backward.done, frame.in_pass) == (done, done < len(trace))
        assert [bits(one.grad) for one in frame.parameters] == [bits(grad) for grad in expected.values()]
        for one in frame.parameters:
            if one.accumulation is not None:
                assert bits(one.accumulation.after) == bits(one.grad)
        seen.append(shown(frame))
        if done < len(trace):
            inside.apply(StepNode())
    for done in range(len(trace) - 1, 0, -1):
        assert shown(inside.apply(StepNodeBack())) == seen[done - 1]


def test_stepping_back_to_before_the_pass_leaves_it_not_begun(inside: Session) -> None:
    frame = after(StepNodeBack(), StepNodeBack(), session=inside).frame
    assert frame.backward is None
    assert shown(frame) == plain_after(F, B, U, Z, F).state()
    assert frame.next is Kind.BACKWARD
    with pytest.raises(Refused, match="no backward pass is under way"):
        inside.apply(StepNodeBack())
    assert shown(inside.apply(Backward())) == plain_after(F, B, U, Z, F, B).state()


def test_stepping_back_from_a_finished_pass_makes_backward_the_next_line_again() -> None:
    session = after(Forward(), Backward())
    assert session.apply(StepNodeBack()).next is Kind.BACKWARD
    while session.frame.backward is not None:
        session.apply(StepNodeBack())
    assert session.frame.next is Kind.BACKWARD
    assert shown(after(*[NextLine()] * 3, session=session).frame) == plain_after(F, B, U, Z).state()


def test_stepping_back_takes_back_an_epoch_that_the_pass_ended() -> None:
    session = after(Forward(), Backward(), Forward(), Update())
    assert session.frame.epoch == 0
    assert session.apply(Backward()).epoch == 1
    assert session.apply(StepNodeBack()).epoch == 0
    assert session.apply(StepNode()).epoch == 1


def test_stepping_back_keeps_what_is_no_part_of_training() -> None:
    session = after(Forward(), StepNode(), ToggleZeroing(), SetLearningRate(0.5), StepNodeBack())
    assert session.frame.backward is None
    assert session.frame.learning_rate == 0.5
    assert not session.frame.loop.is_enabled(Kind.ZERO)


def test_a_pass_that_is_over_is_not_stepped_back() -> None:
    session = after(Forward(), Backward(), Update())
    assert session.frame.backward is not None
    assert session.frame.backward.over
    with pytest.raises(Refused, match="the pass is over"):
        session.apply(StepNodeBack())
    assert session.apply(Undo()).backward is not None
    assert after(StepNodeBack(), session=session).frame.in_pass


# Undo, redo, reset


def test_a_new_action_cuts_what_could_be_redone_and_a_refused_one_does_not() -> None:
    session = after(Forward(), Backward(), Undo(), Undo())
    assert session.frame.future == 2
    refusal(session, Update())
    with pytest.raises(Refused, match="nothing to undo"):
        session.apply(Undo())
    assert session.frame.future == 2
    assert session.apply(SetLearningRate(0.1)).future == 0
    with pytest.raises(Refused, match="nothing to redo"):
        session.apply(Redo())


def test_a_reset_gives_the_start_and_keeps_the_loop_and_the_learning_rate() -> None:
    session = after(RunEpochs(10), ToggleZeroing(), SetLearningRate(0.25), Forward(), StepNode())
    before = session.frame
    frame = session.apply(Reset())
    assert shown(frame) == shown(Session(crops()).frame)
    assert (frame.epoch, len(frame.losses), frame.loss, frame.backward) == (0, 0, None, None)
    assert (frame.learning_rate, frame.loop.is_enabled(Kind.ZERO)) == (0.25, False)
    assert frame.next is Kind.FORWARD
    assert shown(session.apply(Undo())) == shown(before)


# Progress


def test_progress_can_be_read_from_another_thread() -> None:
    session = after(RunEpochs(10))
    reached, looked = threading.Event(), threading.Event()
    asked = [0]

    def stopped() -> bool:
        asked[0] += 1
        if asked[0] in (500, 1500):
            reached.set()
            assert looked.wait(30)
            looked.clear()
        return False

    run = threading.Thread(target=session.apply, args=(RunEpochs(2000), stopped))
    run.start()
    seen: list[Progress] = []
    done = []
    for _ in range(2):
        assert reached.wait(30)
        reached.clear()
        progress = session.progress
        assert progress is not None
        seen.append(progress)
        done.append(progress.done)
        assert progress.rate > 0
        assert progress.seconds_left is not None
        assert progress.seconds_left > 0
        curve = progress.curve
        assert len(curve) == 10 + progress.done
        assert curve[len(curve) - 1] < curve[10]
        assert len(curve.sampled(40)) == 40
        looked.set()
    run.join(30)
    assert done == [499, 1499]
    assert session.progress is None
    assert shown(session.frame) == Plain(crops()).epochs(2010, 1e-5).state()
    assert seen[-1].done == 2000


def test_a_loop_of_forward_alone_is_an_epoch_with_a_loss_per_line() -> None:
    loop = reference_loop(("w", "b"), "mse")
    for kind in (B, U, Z):
        loop = loop.toggled(kind)
    trainer = Trainer(crops())
    statements = Statements(trainer, State(trainer.snapshot(), loop, 1e-5))
    for epoch in range(1, 4):
        statements.run(F)
        assert (statements.state.epoch, len(statements.state.losses)) == (epoch, epoch)


def test_a_loss_is_recorded_once_per_epoch() -> None:
    session = after(
        *[NextLine()] * 6, RunEpochs(5), Forward(), Forward(), Backward(), Forward(), RunEpochs(1)
    )
    plain, expected = Plain(crops()), []
    for kinds in [[F, B, U, Z]] * 6 + [[F, F, B, F, B, U, Z]]:
        for kind in kinds:
            plain.run(kind, 1e-5)
        assert plain.loss is not None
        expected.append(plain.loss.item())
    losses = session.frame.losses
    assert [losses[epoch] for epoch in range(len(losses))] == expected
    assert session.frame.epoch == len(expected)
    assert session.frame.loss_before == expected[-2]


# Memory


def test_a_step_copies_no_tensor() -> None:
    session = after(Forward(), StepNode())
    trainer = session.frame
    for _ in range(3):
        frame = session.apply(StepNode())
        for one, before in zip(frame.parameters, trainer.parameters, strict=True):
            assert one.value is before.value
        assert frame.preds is trainer.preds
    before = live_tensors()
    for _ in range(50):
        after(StepNodeBack(), StepNode(), session=session)
    assert live_tensors() == before


def live_tensors() -> int:
    """Count the tensors that Python holds."""
    gc.collect()
    return sum(type(one) is Tensor for one in gc.get_objects())


def test_a_longer_run_keeps_no_more_tensors() -> None:
    sessions = [after(RunEpochs(10)) for _ in range(70)]  # until what is remembered for drawing is full
    kept = []
    for count in (10, 2000):
        before = live_tensors()
        sessions.append(after(RunEpochs(count)))
        kept.append(live_tensors() - before)
    assert kept[0] == kept[1] < 100


def test_a_run_keeps_eight_bytes_of_each_epoch() -> None:
    session = after(RunEpochs(10))
    tracemalloc.start()
    try:
        start, _ = tracemalloc.get_traced_memory()
        after(RunEpochs(4_000), Undo(), Redo(), session=session)
        gc.collect()
        end, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert end - start < 4_000 * 8 * 1.5 + 60_000
    assert peak - start < 4_000 * 8 * 4 + 100_000


def test_400_actions_keep_few_tensors_each() -> None:
    session = Session(problems.load("crops"))
    before = live_tensors()
    for _ in range(400):
        session.apply(NextLine())
    assert (live_tensors() - before) / 400 < 40
