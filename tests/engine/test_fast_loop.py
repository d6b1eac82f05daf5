"""Runs of many epochs: the bits of the plain loop, wherever they begin, stop or end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count as counting

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.actions import Forward, NextLine, Redo, RunEpochs, ToggleZeroing, Undo, Zero
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.notices import RunDiverged, RunStopped
from gradstep.problem import Problem
from gradstep.reasons import Reason
from gradstep.session import Session
from gradstep.training.fast_loop import run_fast_epochs
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_strategies import Plain, crops, line, perceptron, problem, with_dropout

NEVER = bool
"""Asked whether to stop, it says False."""

MADE: dict[str, Callable[[int, torch.dtype], Problem]] = {
    "perceptron": perceptron,
    "dropout": with_dropout,
    "line": line,
}
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def shown(frame: Frame) -> object:
    """Parameters and gradients of a frame, as bits."""
    return [bits(one.value) for one in frame.parameters], [bits(one.grad) for one in frame.parameters]


def stop_after(asked: int) -> Callable[[], bool]:
    """Say True from the `asked`-th question on."""
    questions = counting(1)
    return lambda: next(questions) >= asked


# The same bits


@pytest.mark.parametrize("zeroing", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 100])
def test_a_run_leaves_the_bits_of_the_notebooks_loop(count: int, zeroing: bool) -> None:
    session = Session(crops())
    kinds = list(Kind) if zeroing else list(Kind)[:3]
    if not zeroing:
        session.apply(ToggleZeroing())
    frame = session.apply(RunEpochs(count))
    plain = Plain(crops()).epochs(count, 1e-5, kinds)
    assert shown(frame) == plain.state()
    assert plain.loss is not None
    assert frame.loss == plain.loss.item()
    assert (frame.epoch, len(frame.losses), frame.notice) == (count, count, None)


@given(
    st.sampled_from(sorted(MADE)),
    st.sampled_from(DTYPES),
    st.integers(0, 50),
    st.integers(1, 12),
    st.booleans(),
    st.floats(1e-4, 0.05),
)
@settings(max_examples=60)
def test_a_run_has_the_plain_loops_bits_in_every_precision(
    name: str, dtype: torch.dtype, seed: int, count: int, zeroing: bool, rate: float
) -> None:
    torch.manual_seed(seed)
    plain = Plain(MADE[name](seed, dtype))
    session = Session(MADE[name](seed, dtype), rate)
    kinds = list(Kind) if zeroing else list(Kind)[:3]
    if not zeroing:
        session.apply(ToggleZeroing())
    frame = session.apply(RunEpochs(count))
    assert shown(frame) == plain.epochs(count, rate, kinds).state()
    # What the run drew, and nothing else, is drawn.
    after = session.apply(Forward())
    plain.run(Kind.FORWARD, rate)
    assert bits(after.preds) == bits(plain.preds)


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_an_epoch_under_way_is_the_first_of_a_run(lines: int, count: int) -> None:
    session = Session(crops())
    for _ in range(4 + lines):
        session.apply(NextLine())
    frame = session.apply(RunEpochs(count))
    assert shown(frame) == Plain(crops()).epochs(1 + count, 1e-5).state()
    assert (frame.epoch, len(frame.losses)) == (1 + count, 1 + count)


def test_a_run_of_100_epochs_comes_back_by_undo_and_redo() -> None:
    session = Session(crops())
    start = session.frame
    ran = session.apply(RunEpochs(100))
    assert shown(session.apply(Undo())) == shown(start)
    assert len(session.frame.losses) == 0
    again = session.apply(Redo())
    assert shown(again) == shown(ran)
    assert [again.losses[epoch] for epoch in range(100)] == [ran.losses[epoch] for epoch in range(100)]
    # And training goes on from there as if nothing had been undone.
    assert shown(session.apply(RunEpochs(7))) == Plain(crops()).epochs(107, 1e-5).state()


def test_two_sessions_draw_from_random_numbers_of_their_own() -> None:
    torch.manual_seed(1)
    alone = Session(with_dropout())
    torch.manual_seed(1)
    together, other = Session(with_dropout()), Session(with_dropout(2))
    for count in (1, 3, 2):
        other.apply(RunEpochs(count))
        torch.rand(count)
        assert shown(together.apply(RunEpochs(count))) == shown(alone.apply(RunEpochs(count)))


def test_without_the_engines_private_door_a_run_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    through_the_door = shown(Session(crops()).apply(RunEpochs(20)))
    with monkeypatch.context() as patch:
        # torch's own `backward` has taken its engine by another name.
        patch.setattr("gradstep.torch_internals.Variable", object)
        passes, backward = [0], torch.Tensor.backward

        def counted(loss: torch.Tensor) -> None:
            passes[0] += 1
            backward(loss)

        patch.setattr(torch.Tensor, "backward", counted)
        assert shown(Session(crops()).apply(RunEpochs(20))) == through_the_door
        assert passes[0] >= 18


# Stopping


@pytest.mark.parametrize("asked", [1, 2, 3, 10, 97, 98, 99, 100])
def test_a_stopped_run_leaves_whole_epochs(asked: int) -> None:
    session = Session(crops())
    frame = session.apply(RunEpochs(100), stopped=stop_after(asked))
    assert frame.epoch <= asked + 1
    assert len(frame.losses) == frame.epoch
    assert frame.next is Kind.FORWARD
    assert shown(frame) == Plain(crops()).epochs(frame.epoch, 1e-5).state()
    assert frame.notice == (RunStopped(frame.epoch, 100) if frame.epoch < 100 else None)
    assert session.progress is None
    assert shown(session.apply(RunEpochs(5))) == Plain(crops()).epochs(frame.epoch + 5, 1e-5).state()


def test_a_run_that_is_stopped_at_once_ends_the_epoch_under_way() -> None:
    session = Session(crops())
    session.apply(NextLine())
    frame = session.apply(RunEpochs(100), stopped=lambda: True)
    assert (frame.epoch, frame.next) == (1, Kind.FORWARD)


class Interrupted(BaseException):
    """Stands for Ctrl-C, without a signal that could hit pytest."""


@pytest.mark.parametrize("asked", [1, 5])
def test_ctrl_c_in_a_run_takes_the_whole_run_back(asked: int) -> None:
    torch.manual_seed(5)
    session, plain = Session(with_dropout()), Plain(with_dropout())
    before = session.apply(RunEpochs(3))
    ask = stop_after(asked)

    def interrupt() -> bool:
        if ask():
            raise Interrupted
        return False

    with pytest.raises(Interrupted):
        session.apply(RunEpochs(100), stopped=interrupt)
    assert session.frame is before
    assert session.progress is None
    assert shown(session.apply(RunEpochs(3))) == plain.epochs(6, 0.01).state()


# Divergence


def first_infinite_epoch(rate: float, kinds: list[Kind]) -> tuple[int, object]:
    """Give the first epoch, counted from 1, whose loss is inf or nan in the plain loop, and its state."""
    plain = Plain(crops())
    for epoch in counting(1):
        plain.run(Kind.FORWARD, rate)
        if not plain.finite:
            return epoch, plain.state()
        for kind in kinds[1:]:
            plain.run(kind, rate)
    raise AssertionError


@pytest.mark.parametrize("zeroing", [True, False])
@pytest.mark.parametrize("rate", [1.0, 1e-2, 1e-3])
def test_a_diverging_run_stops_before_the_backward_of_the_epoch_it_names(rate: float, zeroing: bool) -> None:
    session = Session(crops(), rate)
    if not zeroing:
        session.apply(ToggleZeroing())
    epoch, state = first_infinite_epoch(rate, list(Kind) if zeroing else list(Kind)[:3])
    frame = session.apply(RunEpochs(100_000))
    assert shown(frame) == state
    assert (frame.epoch, len(frame.losses), frame.next) == (epoch - 1, epoch, Kind.BACKWARD)
    assert isinstance(frame.notice, RunDiverged)
    assert (frame.notice.epoch, frame.notice.zeroing) == (epoch, zeroing)
    assert str(frame.notice.loss) == str(frame.loss)
    assert all(bool(torch.isfinite(one.value).all()) for one in frame.parameters)


def test_a_diverged_epoch_is_not_gone_on_with_by_a_run() -> None:
    session = Session(crops(), 1.0)
    notice = session.apply(RunEpochs(1000)).notice
    refusal = session.frame.refusal(RunEpochs(1))
    assert refusal is not None
    assert refusal.reason is Reason.DIVERGED
    assert str(refusal.loss) == str(session.frame.loss)
    # By hand it may be: a learner may look at how inf spreads.
    session.apply(NextLine())
    assert session.frame.refusal(RunEpochs(1)) is not None
    session.apply(Undo())
    session.apply(Undo())
    assert session.apply(Redo()).notice == notice


def test_a_run_from_spoilt_parameters_stops_at_its_first_epoch() -> None:
    session = Session(crops(), 1.0)
    epoch = session.apply(RunEpochs(1000)).epoch
    for _ in range(3):
        session.apply(NextLine())
    frame = session.apply(RunEpochs(10))
    assert frame.epoch == epoch + 1
    assert isinstance(frame.notice, RunDiverged)
    assert frame.notice.epoch == epoch + 2


def test_a_run_that_ends_just_before_it_would_diverge_says_nothing() -> None:
    epoch, _ = first_infinite_epoch(1.0, list(Kind))
    frame = Session(crops(), 1.0).apply(RunEpochs(epoch - 1))
    assert (frame.epoch, frame.notice) == (epoch - 1, None)
    assert isinstance(Session(crops(), 1.0).apply(RunEpochs(epoch)).notice, RunDiverged)


# Errors in the middle


def test_a_model_that_breaks_in_the_middle_of_a_run_leaves_the_epochs_before() -> None:
    def breaking() -> Problem:
        slope = torch.ones(1)
        calls = counting(1)

        def model(x: torch.Tensor) -> torch.Tensor:
            if next(calls) > 5:
                raise KeyError("the fifth was the last")
            return x * slope

        return problem({"slope": slope}, model, torch.ones(3), torch.zeros(3))

    session = Session(breaking(), 0.1)
    with pytest.raises(PyTorchError, match="the fifth was the last"):
        session.apply(RunEpochs(50))
    plain = Plain(breaking()).epochs(5, 0.1)
    assert shown(session.frame) == plain.state()
    assert (session.frame.epoch, len(session.frame.losses)) == (5, 5)
    assert session.frame.backward is None
    assert session.progress is None
    assert shown(session.apply(Undo())) == shown(Session(breaking(), 0.1).frame)


def test_a_bare_run_stops_where_the_loss_is_not_finite_and_takes_its_draw_back() -> None:
    torch.manual_seed(0)
    made = with_dropout()
    losses: list[float] = []
    run = run_fast_epochs(made, list(Kind), 10_000, 50.0, losses.append, NEVER)
    assert run.diverged
    assert run.done == len(losses) < 10_000
    rng = torch.get_rng_state()
    torch.manual_seed(0)
    plain = Plain(with_dropout()).epochs(run.done, 50.0)
    assert bits(rng) == bits(plain.rng)
    plain.run(Kind.FORWARD, 50.0)
    assert not plain.finite


def test_zeroing_between_runs_is_part_of_the_training() -> None:
    session = Session(crops())
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(3))
    session.apply(Zero())
    frame = session.apply(RunEpochs(3))
    plain = Plain(crops()).epochs(3, 1e-5, list(Kind)[:3])
    plain.run(Kind.ZERO, 1e-5)
    assert shown(frame) == plain.epochs(3, 1e-5, list(Kind)[:3]).state()
    assert frame.epoch == 6
