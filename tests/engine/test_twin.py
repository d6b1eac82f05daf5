"""A session beside its twin with zeroing, and beside another branch."""

from __future__ import annotations

from collections.abc import Sequence
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
    GoTo,
    MoveStatement,
    NextLine,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.analysis.comparison import Comparison
from gradstep.errors import BadInput, EngineError, Stopped
from gradstep.loop.loop import Kind
from gradstep.notices import RunDiverged
from tests.engine.recording_checks import bits
from tests.engine.test_time_travel import begun, picture
from tests.session_strategies import PROBLEMS, Plain

ACTIONS: Sequence[Action] = (
    Forward(),
    Backward(),
    StepNode(),
    StepNodeBack(),
    Update(),
    Zero(),
    NextLine(),
    RunEpochs(1),
    RunEpochs(4),
    ToggleZeroing(),
    SetLearningRate(1e-4),
    SetLearningRate(1e-6),
    Reset(),
    Undo(),
)

UNZEROED = (Kind.FORWARD, Kind.BACKWARD, Kind.UPDATE)


def element(plain: Plain, found: Comparison) -> float:
    assert found.first is not None
    weight = found.first.weight
    assert weight is not None
    return plain.problem.parameters[weight.parameter][weight.index].item()


def test_with_zeroing_the_twin_is_the_session_bit_for_bit() -> None:
    found = begun("crops", RunEpochs(50), Forward(), Backward()).twin()
    assert found.first is None
    assert found.epochs == 50
    assert len(found.losses[0]) == len(found.losses[1]) == 51
    assert all(gap.size == 0 for gap in found.gaps)


def test_without_zeroing_the_third_loss_is_the_first_that_differs() -> None:
    session = begun("crops", ToggleZeroing(), RunEpochs(20))
    found = session.twin()
    assert found.first is not None
    assert found.first.epoch == 3
    without, with_zeroing = (Plain(problems.load("crops")) for _ in range(2))
    rate = session.frame.learning_rate
    without.epochs(2, rate, UNZEROED)
    with_zeroing.epochs(2, rate)
    assert found.first.weight is not None
    assert found.first.weight.first == element(without, found)
    assert found.first.weight.second == element(with_zeroing, found)
    without.run(Kind.FORWARD, rate)
    with_zeroing.run(Kind.FORWARD, rate)
    assert found.first.losses == (without.loss.item(), with_zeroing.loss.item())


def test_in_the_second_epoch_the_weights_differ_before_a_loss_tells() -> None:
    found = begun("crops", ToggleZeroing(), RunEpochs(2)).twin()
    assert found.first is not None
    assert (found.first.epoch, found.first.losses) == (2, None)
    assert begun("crops", ToggleZeroing(), RunEpochs(1)).twin().first is None


@given(st.sampled_from(sorted(PROBLEMS)), st.lists(st.sampled_from(ACTIONS), max_size=15))
@settings(max_examples=25, deadline=None)
def test_a_twin_changes_nothing_and_runs_as_many_epochs_from_the_same_start(
    name: str, actions: list[Action]
) -> None:
    session = begun(name, *actions)
    before = picture(session), session.frame.position
    found = session.twin()
    assert (picture(session), session.frame.position) == before
    assert found.epochs == session.frame.epoch
    mine, others = found.losses
    assert len(mine) == len(others) <= len(session.frame.losses)
    if len(others):
        plain = Plain(PROBLEMS[name](), session._start.trainer.rng)
        plain.run(Kind.FORWARD, 0.0)
        assert str(others[0]) == str(plain.loss.item())


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1e-6, 1e-5, 1e-4])), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_twin_is_plain_pytorch_with_each_epochs_learning_rate(schedule: list[tuple[int, float]]) -> None:
    session = begun("crops", ToggleZeroing())
    plain = Plain(problems.load("crops"))
    for count, rate in schedule:
        session.apply(SetLearningRate(rate))
        session.apply(RunEpochs(count))
        plain.epochs(count, rate)
        found = session.twin()
    gaps = {gap.parameter: gap for gap in found.gaps}
    for name, value in plain.problem.parameters.items():
        assert gaps[name].second == value[gaps[name].index].item()
    assert found.losses[1][len(found.losses[1]) - 1] == plain.loss.item()


def test_a_rate_changed_after_the_update_belongs_to_the_next_epoch() -> None:
    by_hand = (Forward(), Backward(), Update(), SetLearningRate(1e-7), Zero(), RunEpochs(3))
    assert begun("crops", *by_hand).twin().first is None


def test_a_session_that_was_reset_or_jumped_into_a_run_has_the_twin_of_what_is_left() -> None:
    session = begun("crops", RunEpochs(10), Reset(), ToggleZeroing(), RunEpochs(30), GoTo(4, 12))
    found = session.twin()
    assert found.epochs == 12
    plain = Plain(problems.load("crops")).epochs(12, session.frame.learning_rate)
    assert found.gaps[0].second == plain.leaves[0][found.gaps[0].index].item()
    assert session.frame.future == 1


def test_never_zeroing_is_momentum_one_bit_for_bit_where_the_optimizer_does_the_update() -> None:
    """`torch.optim.SGD(momentum=1)` adds each gradient to a buffer that it never empties."""
    unzeroed, zeroed = problems.load("crops"), problems.load("crops")
    plain = torch.optim.SGD(unzeroed.parameters.values(), lr=1e-6)
    momentum = torch.optim.SGD(zeroed.parameters.values(), lr=1e-6, momentum=1.0)
    for _ in range(200):
        unzeroed.loss_fn(unzeroed.model(unzeroed.inputs), unzeroed.targets).backward()
        plain.step()
        momentum.zero_grad()
        zeroed.loss_fn(zeroed.model(zeroed.inputs), zeroed.targets).backward()
        momentum.step()
        for one, other in zip(unzeroed.parameters.values(), zeroed.parameters.values(), strict=True):
            assert bits(one) == bits(other)
            assert bits(one.grad) == bits(momentum.state[other]["momentum_buffer"])


@pytest.mark.parametrize(("epochs", "tolerance"), [(1, 1e-6), (10, 1e-5), (200, 1e-4)])
def test_never_zeroing_by_hand_is_momentum_one_up_to_rounding(epochs: int, tolerance: float) -> None:
    session = begun("crops", SetLearningRate(1e-6), ToggleZeroing(), RunEpochs(epochs))
    momentum = session.twin().momentum
    assert momentum is not None
    assert 0 <= momentum < tolerance
    assert picture(session) == picture(
        begun("crops", SetLearningRate(1e-6), ToggleZeroing(), RunEpochs(epochs))
    )


@pytest.mark.parametrize(
    "actions",
    [
        [RunEpochs(3)],
        [RunEpochs(3), ToggleZeroing(), RunEpochs(3)],
        [ToggleZeroing(), RunEpochs(2), Zero()],
        [ToggleZeroing()],
        [ToggleZeroing(), RunEpochs(2), Forward()],
    ],
)
def test_momentum_is_told_only_where_nothing_was_ever_zeroed(actions: list[Action]) -> None:
    assert begun("crops", *actions).twin().momentum is None


def test_an_edited_loop_that_never_zeroes_is_not_said_to_be_momentum_without_looking() -> None:
    moved = [MoveStatement(Kind.UPDATE, 1), ToggleZeroing(), MoveStatement(Kind.FORWARD, 1)]
    session = begun("crops", *moved)
    with suppress(EngineError):
        session.apply(RunEpochs(5))
    momentum = session.twin().momentum
    assert momentum is None or momentum > 1e-4


def test_two_branches_are_compared_after_as_many_epochs_as_both_have() -> None:
    session = begun("crops", RunEpochs(5), ToggleZeroing(), RunEpochs(20), Undo(), Undo(), RunEpochs(8))
    assert session.frame.epoch == 13
    before = picture(session)
    found = session.compare(3)
    assert picture(session) == before
    assert found.epochs == 13
    rate = session.frame.learning_rate
    mine = Plain(problems.load("crops")).epochs(13, rate)
    others = Plain(problems.load("crops")).epochs(5, rate)
    others.epochs(8, rate, UNZEROED)
    for gap, one, other in zip(found.gaps, mine.leaves, others.leaves, strict=True):
        assert (gap.first, gap.second) == (one[gap.index].item(), other[gap.index].item())
        assert gap.size == (one - other).abs().max().item()
    assert found.first is not None
    assert found.first.epoch == 8
    assert found.last == (mine.loss.item(), others.loss.item())


def test_a_point_compared_with_itself_has_no_difference() -> None:
    session = begun("crops", RunEpochs(5), Forward(), Backward(), Update())
    assert session.compare(4).first is None
    with pytest.raises(BadInput, match="there is no point 9"):
        session.compare(9)


def test_a_comparison_that_takes_long_can_be_stopped_and_changes_nothing() -> None:
    session = begun("crops", RunEpochs(200))
    before = picture(session)
    with pytest.raises(Stopped):
        session.twin(lambda: True)
    assert picture(session) == before
    assert session.progress is None


def test_a_twin_beside_a_diverged_session_tells_both_losses() -> None:
    session = begun("crops", SetLearningRate(1e-3), ToggleZeroing(), RunEpochs(1000))
    assert isinstance(session.frame.notice, RunDiverged)
    found = session.twin()
    assert found.first is not None
    assert found.first.epoch == 3
    assert len(found.losses[0]) == len(found.losses[1])
    assert found.momentum is None
