"""What losses give reason to say: divergence is announced before inf, and a tiny rate is noticed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import Backward, Forward, Redo, RunEpochs, SetOptimizer, ToggleZeroing, Undo, Update
from gradstep.analysis.loss_trend import FEWEST, Descent, diverging, hardly_moves, rise_at_end
from gradstep.loop.optimizers import Optimizer
from gradstep.notices import LossMoved, LossRises, OptimizerSet, RateTooSmall, RunDiverged, ZeroingSet
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start, start_from
from gradstep.statement_steps.statement_facts import EpochsStep

positive = st.floats(1e-3, 1e6)
descents = st.sampled_from(Descent)

SCRIPT = """
import torch
torch.manual_seed(0)
x = torch.linspace(-1, 1, 20).unsqueeze(1)
y = 3 * x + 1
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr={rate})
for epoch in range(1000):
    loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@given(st.lists(positive, min_size=1, max_size=60).map(lambda losses: sorted(losses, reverse=True)), descents)
def test_a_falling_loss_never_diverges(losses: list[float], descent: Descent) -> None:
    assert rise_at_end(losses) is None
    assert diverging(losses, descent) is None


@given(st.lists(st.one_of(positive, st.just(math.nan), st.just(math.inf)), min_size=1, max_size=60), descents)
def test_what_diverges_has_just_risen_and_is_a_number(losses: list[float], descent: Descent) -> None:
    rise = diverging(losses, descent)
    if rise is not None:
        assert math.isfinite(rise.last)
        assert rise.count >= 1
        tail = losses[-1 - rise.count :]
        assert tail == sorted(set(tail))
        assert (rise.first, rise.last) == (tail[0], tail[-1])


@given(positive, st.floats(1.05, 50), descents)
def test_a_loss_that_grows_steadily_is_announced_long_before_it_is_inf(
    start: float, factor: float, descent: Descent
) -> None:
    losses = [start]
    while diverging(losses, descent) is None:
        losses.append(losses[-1] * factor)
        assert losses[-1] < start * 1e5
        assert len(losses) < 40


@given(positive, st.lists(st.floats(0, 0.009), min_size=1, max_size=40), descents)
def test_a_loss_far_below_its_beginning_may_rise(start: float, parts: list[float], descent: Descent) -> None:
    assert diverging([start, *(start * part for part in parts)], descent) is None


@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=300))
def test_mini_batches_may_differ(losses: list[float]) -> None:
    assert diverging(losses, Descent.MIXED) is None


@given(positive, st.integers(FEWEST, 500), st.floats(0.02, 0.99))
def test_a_run_that_lowers_the_loss_by_more_than_a_hundredth_moves_it(
    start: float, count: int, part: float
) -> None:
    losses = [start * (1 - part * number / (count - 1)) for number in range(count)]
    assert not hardly_moves(losses)
    assert hardly_moves([start * (1 - 0.005 * number / count) for number in range(count)])
    assert not hardly_moves([start] * (FEWEST - 1))


@pytest.mark.parametrize("name", problems.names())
def test_a_problem_at_its_own_rate_gets_no_warning(name: str) -> None:
    session = open_session(Start(name))
    for _ in range(10):
        assert not isinstance(session.apply(RunEpochs(1)).signal, LossRises | RateTooSmall | RunDiverged)
    for _ in range(2):
        assert isinstance(session.apply(RunEpochs(100)).signal, LossMoved)


@pytest.mark.parametrize("name", ["crops", "line", "quadratic", "xor"])
def test_a_rate_far_too_large_is_announced_before_the_loss_is_inf(name: str) -> None:
    session = open_session(Start(name, rate=problems.load(name).learning_rate * 30))
    signals = [session.apply(RunEpochs(1)).signal for _ in range(3)]
    assert isinstance(signals[1], LossRises)
    assert signals[1].zeroing
    assert math.isfinite(signals[1].last)


def test_a_run_that_ends_at_inf_says_so_once() -> None:
    frame = open_session(Start("crops", rate=1.0)).apply(RunEpochs(100))
    assert isinstance(frame.notice, RunDiverged)
    assert frame.signal is None


def test_a_line_that_makes_the_loss_inf_says_so_too() -> None:
    session = open_session(Start("crops", rate=1e30))
    session.apply(RunEpochs(1))
    assert isinstance(session.apply(Forward()).signal, RunDiverged)


@pytest.mark.parametrize("name", sorted({*problems.names()} - {"line", "quadratic", "broadcast"}))
def test_a_rate_far_too_small_is_noticed_after_a_run(name: str) -> None:
    rate = problems.load(name).learning_rate * 1e-4
    signal = open_session(Start(name, rate=rate)).apply(RunEpochs(100)).signal
    assert isinstance(signal, RateTooSmall)
    assert (signal.epochs, signal.rate) == (100, rate)


def test_adam_with_the_rate_of_plain_descent_is_too_slow() -> None:
    session = open_session(Start("crops"))
    session.apply(SetOptimizer(Optimizer("Adam")))
    assert isinstance(session.apply(RunEpochs(100)).signal, RateTooSmall)


def test_at_a_minimum_no_rate_is_too_small() -> None:
    session = open_session(Start("line"))
    session.apply(RunEpochs(300))
    assert isinstance(session.apply(RunEpochs(300)).signal, LossMoved)


def test_going_back_says_nothing_and_redoing_says_it_again() -> None:
    session = open_session(Start("crops"))
    signal = session.apply(RunEpochs(100)).signal
    assert signal is not None
    assert session.apply(Undo()).signal is None
    assert session.apply(Redo()).signal == signal


def test_gradients_that_pile_up_are_told_apart_from_a_large_rate() -> None:
    session = open_session(Start("crops", rate=1e-3))
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(1))
    signal = session.apply(RunEpochs(1)).signal
    assert isinstance(signal, LossRises)
    assert not signal.zeroing


@pytest.mark.parametrize(
    ("rate", "kind"), [("0.1", LossMoved), ("1e-6", RateTooSmall), ("20.0", RunDiverged)]
)
def test_a_scripts_own_loop_gets_the_same_signals(rate: str, kind: type, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.format(rate=rate), encoding="utf-8")
    frame = open_session(start_from(str(path))).apply(RunEpochs(100))
    assert isinstance(frame.notice if kind is RunDiverged else frame.signal, kind)


def test_a_scripts_divergence_is_announced_before_inf(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.format(rate="20.0"), encoding="utf-8")
    session = open_session(start_from(str(path)))
    signals = [session.apply(RunEpochs(1)).signal for _ in range(4)]
    assert any(isinstance(signal, LossRises) for signal in signals)


def test_losses_that_swing_without_zeroing_are_no_success() -> None:
    session = Session(problems.load("crops"))
    session.apply(ToggleZeroing())
    found = session.apply(RunEpochs(100)).signal
    assert isinstance(found, LossMoved)
    assert not found.zeroing
    losses = list(session.frame.losses)
    lowest = losses.index(min(losses))
    assert found.peak == max(losses[lowest:])
    assert found.peak > 2 * losses[-1]


def test_a_run_from_the_middle_of_an_epoch_is_compared_with_the_loss_that_was_known() -> None:
    session = Session(problems.load("crops"))
    for action in (RunEpochs(1), Forward(), Backward(), Update()):
        known = session.apply(action).loss
    step = session.apply(RunEpochs(1)).statement
    assert isinstance(step, EpochsStep)
    assert step.loss_before == step.loss_after == known
    found = session.apply(RunEpochs(30)).signal
    assert isinstance(found, LossMoved)
    assert found.first == known


def test_a_chosen_optimizer_is_told_with_the_rate_that_pytorch_has_for_it() -> None:
    session = Session(problems.load("crops"))
    told = session.apply(SetOptimizer(Optimizer("Adam"))).notice
    assert told == OptimizerSet("Adam", session.frame.learning_rate, 0.001)
    assert session.apply(SetOptimizer(Optimizer("Adam"))).notice is None
    assert session.apply(SetOptimizer(Optimizer("SGD"))).notice == OptimizerSet("SGD", 1e-05, None)
    assert session.apply(ToggleZeroing()).notice == ZeroingSet(zeroing=False, set_to_none=False)
