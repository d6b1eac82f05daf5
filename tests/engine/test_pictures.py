"""What pictures show, held against plain PyTorch."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any, Final

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.errors import BadInput, Stopped
from gradstep.history.annotations import What
from gradstep.loop.loop import Kind
from gradstep.pictures.elements import ParameterElement, place_at
from gradstep.pictures.loss_surface import SAME, SIDE, Surface
from gradstep.pictures.trajectory import AGAIN, MOST
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep.tensors.element_index import place_of
from tests.engine.recording_checks import bits
from tests.session_state import apply, state
from tests.session_strategies import PROBLEMS, crops, line, problem


def after(made: Problem, *actions: Action, rate: float | None = None) -> Session:
    session = Session(made, rate)
    for action in actions:
        session.apply(action)
    return session


def plain_loss(
    session: Session, places: tuple[ParameterElement, ParameterElement], pair: tuple[float, float]
) -> float:
    """The loss with two numbers of the parameters put in place, by the model itself."""
    made = session._problem
    kept = {name: one.detach().clone() for name, one in made.parameters.items()}
    with torch.no_grad():
        for place, value in zip(places, pair, strict=True):
            made.parameters[place.parameter].data[place.index] = value
        torch.set_rng_state(session.state.trainer.rng)
        loss = made.loss_fn(made.model(made.inputs), made.targets).item()
        for name, one in made.parameters.items():
            one.data.copy_(kept[name])
    torch.set_rng_state(session.state.trainer.rng)
    return loss


def some_losses(session: Session, found: Surface) -> None:
    size = float(np.nanmax(found.losses))
    for row in np.linspace(0, len(found.second) - 1, 6).astype(int):
        for column in np.linspace(0, len(found.first) - 1, 6).astype(int):
            plain = plain_loss(session, found.places, (found.first[column], found.second[row]))
            assert found.losses[row, column] == pytest.approx(plain, rel=SAME, abs=SAME**2 * size)


# The surface


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("epochs", [0, 30])
def test_a_surfaces_losses_are_those_of_the_model_itself_and_come_many_at_a_time(
    name: str, epochs: int
) -> None:
    session = after(PROBLEMS[name](), *[RunEpochs(epochs)] * bool(epochs), rate=1e-6)
    pictures = session.pictures()
    for one, other in ((0, 1), (pictures.count - 1, 0)):
        found = pictures.surface(one, other)
        assert (found.batched, found.losses.shape) == (True, (SIDE, SIDE))
        assert found.places == (pictures.place(one), pictures.place(other))
        assert found.loss == plain_loss(session, found.places, found.here)
        some_losses(session, found)


class Own(torch.autograd.Function):
    """A learner's own, which a batch cannot go through."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 2


def stubborn(kind: str) -> Problem:
    w = torch.tensor([1.0, -2.0])
    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    models = {
        "own function": lambda x: x * Own.apply(w),
        "control flow": lambda x: x * w if w[0].item() > 0 else x * w * 2,
        "numpy": lambda x: x * w * float(w.detach().numpy().max()),
        "data": lambda x: x * w * w.data.sum(),
    }
    return problem({"w": w}, models[kind], inputs, torch.zeros(2, 2))


@pytest.mark.parametrize("kind", ["own function", "control flow", "numpy", "data"])
def test_what_cannot_be_batched_is_computed_one_by_one_on_a_coarser_grid(kind: str) -> None:
    session = after(stubborn(kind))
    found = session.pictures().surface()
    assert not found.batched
    assert len(found.first) == len(found.second) <= SIDE
    some_losses(session, found)


def test_the_area_holds_the_path_the_present_and_the_minimum_and_its_ends_are_those_of_the_axes() -> None:
    found = after(crops(), RunEpochs(100)).pictures().surface(0, 2)
    assert found.lowest is not None
    for one, other in (*found.path, found.here, found.lowest.at):
        assert found.first[0] <= one <= found.first[-1]
        assert found.second[0] <= other <= found.second[-1]
    assert list(found.first) == sorted(found.first)
    assert found.path[-1] == found.here


@pytest.mark.parametrize("name", ["crops", "line"])
def test_at_the_minimum_of_a_quadratic_both_slopes_are_0(name: str) -> None:
    session = after(PROBLEMS[name]())
    found = session.pictures().surface()
    assert found.lowest is not None
    assert found.lowest.is_minimum
    made = session._problem
    copies = {key: one.detach().double() for key, one in made.parameters.items()}
    for place, value in zip(found.places, found.lowest.at, strict=True):
        copies[place.parameter][place.index] = value
    for key, one in made.parameters.items():
        one.data = copies[key]
    loss = made.loss_fn(made.model(made.inputs.double()), made.targets.double())
    grads = dict(zip(made.parameters, torch.autograd.grad(loss, list(made.parameters.values())), strict=True))
    for place in found.places:
        assert abs(grads[place.parameter][place.index].item()) < 1e-4


def test_a_loss_that_is_not_finite_is_nan() -> None:
    w = torch.tensor([1.0, 2.0])
    made = problem({"w": w}, lambda x: x * w.log(), torch.ones(1, 2), torch.zeros(1, 2))
    found = after(made).pictures().surface()
    shown = np.array(found.first)[None, :].repeat(SIDE, 0)
    assert np.isnan(found.losses[shown < 0]).all()


def test_a_surface_needs_two_different_numbers() -> None:
    pictures = after(crops()).pictures()
    for one, other in ((0, 0), (0, 8), (-1, 0)):
        with pytest.raises(BadInput, match="two numbers of the 8"):
            pictures.surface(one, other)


EDITS: Final[tuple[tuple[Action, ...], ...]] = (
    (),
    (Forward(),),
    (Forward(), Backward()),
    (Forward(), Backward(), Forward(), Backward()),
    (Forward(), StepNode(), StepNode()),
    (Forward(), Backward(), Update()),
    (ToggleZeroing(), RunEpochs(3)),
    (ToggleZeroing(), RunEpochs(3), ToggleZeroing()),
    (RunEpochs(2), ToggleSetToNone(), RunEpochs(1)),
)


@pytest.mark.parametrize("actions", EDITS, ids=str)
def test_the_step_is_what_the_next_update_does(actions: tuple[Action, ...]) -> None:
    session = after(crops(), *actions)
    found = session.pictures().surface(0, 7)
    assert found.step is not None
    kind = None
    while kind is not Kind.UPDATE:
        kind = session.frame.next
        before = session.frame.parameters
        session.apply(NextLine())
    for place, moved in zip(found.places, found.step, strict=True):
        old, new = (
            next(p.value[place.index].item() for p in frame if p.name == place.parameter)
            for frame in (before, session.frame.parameters)
        )
        assert new - old == pytest.approx(moved, rel=1e-2, abs=1e-6)

    rate = session.frame.learning_rate
    assert found.held is not None
    assert found.step == pytest.approx([-rate * held for held in found.held])


def test_a_loop_without_an_update_has_no_step() -> None:
    found = after(crops(), ToggleStatement(Kind.UPDATE)).pictures().surface()
    assert (found.step, found.held) == (None, None)


def test_what_grad_holds_at_the_next_update_is_the_gradient_of_one_pass_only_if_it_was_zeroed() -> None:
    for actions, same in (((RunEpochs(3),), True), ((ToggleZeroing(), RunEpochs(3)), False)):
        found = after(crops(), *actions).pictures().surface(3, 4)
        assert found.held is not None
        assert (found.held == pytest.approx(found.gradient)) is same


# The lowest point


@pytest.mark.parametrize("name", ["crops", "xor", "dead-relu", "quadratic", "logistic"])
def test_no_loss_of_a_surface_is_lower_than_at_its_lowest_point_which_is_in_the_picture(name: str) -> None:
    session = after(problems.load(name), RunEpochs(100))
    pictures = session.pictures()
    found = pictures.surface(*pictures.default_pair().numbers)
    assert found.lowest is not None
    assert found.first[0] <= found.lowest.at[0] <= found.first[-1]
    assert found.second[0] <= found.lowest.at[1] <= found.second[-1]
    low, there = np.nanmin(found.losses), plain_loss(session, found.places, found.lowest.at)
    assert there <= low + 1e-3 * abs(low) + 1e-6


# The two numbers that are chosen


def test_the_two_numbers_are_those_that_training_moved_furthest_else_those_of_the_largest_gradients() -> None:
    session = after(crops())
    made = session._problem
    loss = made.loss_fn(made.model(made.inputs), made.targets)
    slopes = torch.cat([one.reshape(-1) for one in torch.autograd.grad(loss, [*made.parameters.values()])])
    largest = slopes.abs().argsort(descending=True)[:2].sort().values.tolist()
    found = session.pictures().default_pair()
    assert (list(found.numbers), found.moved) == (largest, False)
    before = torch.cat([one.value.reshape(-1) for one in session.frame.parameters])
    session.apply(RunEpochs(100))
    after_it = torch.cat([one.value.reshape(-1) for one in session.frame.parameters])
    furthest = (after_it - before).abs().argsort(descending=True)[:2].sort().values.tolist()
    found = session.pictures().default_pair()
    assert (list(found.numbers), found.moved) == (furthest, True)
    assert session.pictures().default_pair() == found
    session.apply(Reset())
    assert session.pictures().default_pair().moved is False


def test_two_numbers_are_chosen_after_a_divergence_and_if_none_moves_and_none_has_a_gradient() -> None:
    found = after(crops(), RunEpochs(200), rate=1.0).pictures().default_pair()
    assert found.moved
    still = problem({"w": torch.zeros(3)}, lambda x: (x * w).relu(), torch.zeros(1, 3), torch.zeros(1, 3))
    w = still.parameters["w"]
    assert after(still).pictures().default_pair().numbers == (0, 1)
    single = problem({"w": torch.ones(1)}, lambda x: x * one, torch.ones(1), torch.zeros(1))
    one = single.parameters["w"]
    assert after(single).pictures().default_pair().numbers == (0, 0)


# The path


def test_the_path_is_where_the_parameters_were_bit_for_bit() -> None:
    session = after(crops(), RunEpochs(5), NextLine(), NextLine(), NextLine(), NextLine(), RunEpochs(10))
    found = session.pictures().path()
    assert found.epochs == tuple(range(17))
    assert found.whole
    for epoch, values in zip(found.epochs, found.values, strict=True):
        there = after(crops(), *[RunEpochs(epoch)] * bool(epoch)).frame.parameters
        assert [bits(one) for one in values] == [bits(one.value) for one in there]


def test_a_path_begins_where_training_began_also_if_its_first_epoch_was_stepped() -> None:
    session = after(crops(), Forward(), StepNode(), Backward(), Update(), Zero(), RunEpochs(2))
    found = session.pictures().path()
    assert found.epochs == (0, 1, 2, 3)
    for values, name in zip(found.values[0], crops().parameters.values(), strict=True):
        assert bits(values) == bits(name.detach())


def test_a_long_path_is_sampled_and_of_a_very_long_run_only_the_beginning() -> None:
    session = after(crops(), RunEpochs(100), RunEpochs(5 * AGAIN))
    found = session.pictures().path()
    assert not found.whole
    assert len(found.epochs) <= MOST + 4
    assert found.epochs[0] == 0
    assert found.epochs[-1] == 100 + 5 * AGAIN
    assert {100 < epoch <= 100 + AGAIN for epoch in found.epochs[:-1] if epoch > 100} == {True}
    for epoch, values in list(zip(found.epochs, found.values, strict=True))[1::7]:
        there = after(crops(), RunEpochs(epoch)).frame.parameters
        assert [bits(one) for one in values] == [bits(one.value) for one in there]


def test_a_path_begins_anew_after_a_reset_leaves_out_what_was_undone_and_ends_inside_a_run() -> None:
    reset = after(crops(), RunEpochs(5), Reset(), RunEpochs(3))
    assert reset.pictures().path().epochs == (0, 1, 2, 3)
    undone = after(crops(), RunEpochs(5), Undo(), RunEpochs(2))
    assert undone.pictures().path().epochs == (0, 1, 2)
    inside = after(crops(), RunEpochs(9), GoTo(1, 4))
    assert inside.pictures().path().epochs == (0, 1, 2, 3, 4)
    in_a_pass = after(crops(), RunEpochs(2), Forward(), Backward(), GoTo(3, 4))
    assert in_a_pass.pictures().path().epochs == (0, 1, 2)


def test_a_path_can_be_stopped() -> None:
    session = after(crops(), RunEpochs(5), RunEpochs(5))
    was = state(session)
    for stopped in (session.pictures().path, session.pictures().surface):
        with pytest.raises(Stopped):
            stopped(stopped=lambda: True)  # type: ignore[operator]
    assert state(session) == was


# The fit


def test_a_fit_pairs_predictions_and_targets() -> None:
    session = after(crops(), RunEpochs(3))
    found = session.pictures().fit()
    made = session._problem
    assert list(found.preds) == made.model(made.inputs).reshape(-1).tolist()
    assert list(found.targets) == made.targets.reshape(-1).tolist()
    assert found.series == (0, 1) * 5
    assert (found.inputs, found.line, found.total) == ((), (), 10)


def test_of_one_input_the_fit_has_the_line() -> None:
    session = after(line())
    found = session.pictures().fit()
    made = session._problem
    assert list(found.inputs) == made.inputs.tolist()
    slope, offset = (one.item() for one in made.parameters.values())
    assert [x for x, _ in found.line] == sorted(x for x, _ in found.line)
    assert min(found.inputs) == pytest.approx(found.line[0][0])
    for x, y in found.line:
        assert y == pytest.approx(slope * x + offset, abs=1e-5)


def test_many_pairs_are_sampled() -> None:
    w, inputs = torch.ones(1), torch.linspace(0, 1, 7001)
    found = after(problem({"w": w}, lambda x: x * w, inputs, inputs)).pictures().fit()
    assert found.total == 7001
    assert 1000 < len(found.preds) == len(found.targets) == len(found.inputs) <= 2000


def test_without_a_prediction_for_each_target_there_is_no_fit() -> None:
    w = torch.ones(2, 3)
    targets = torch.tensor([0, 2])
    made = problem({"w": w}, lambda x: x @ w, torch.ones(2, 2), targets, torch.nn.functional.cross_entropy)
    with pytest.raises(BadInput, match="no fit to draw"):
        after(made).pictures().fit()


# Sizes and marks


def test_sizes_are_those_of_the_recorded_gradients() -> None:
    session = after(crops(), ToggleZeroing(), RunEpochs(2), Forward(), Backward(), Zero())
    w = session.pictures().sizes()[0]
    assert (w.parameter, w.unrecorded) == ("w", 0)
    assert [one.epoch for one in w.passes] == [1, 2, 3]
    made = crops()
    leaf, before = made.parameters["w"], torch.zeros(2, 3)
    for size in w.passes:  # the plain loop, without zeroing
        made.loss_fn(made.model(made.inputs), made.targets).backward()
        assert leaf.grad is not None
        assert size.held == pytest.approx(leaf.grad.norm().item(), rel=1e-5)
        assert size.added == pytest.approx((leaf.grad - before).norm().item(), rel=1e-4)
        before = leaf.grad.clone()
        with torch.no_grad():
            for one in made.parameters.values():
                assert one.grad is not None
                one -= one.grad * 1e-5


def test_unrecorded_passes_are_counted() -> None:
    sizes = after(crops(), RunEpochs(100)).pictures().sizes()
    assert [(len(one.passes), one.unrecorded) for one in sizes] == [(2, 98)] * 2


def test_marks_tell_what_was_done_between_epochs() -> None:
    session = after(
        crops(), RunEpochs(2), ToggleZeroing(), RunEpochs(3), Undo(), SetLearningRate(1e-6), RunEpochs(1)
    )
    session.apply(ToggleStatement(Kind.ZERO))
    found = [(one.epoch, one.what, one.rate) for one in session.pictures().marks()]
    assert found == [
        (2, What.ZEROING_OFF, 1e-5),
        (2, What.BRANCH, 1e-6),
        (2, What.RATE, 1e-6),
        (3, What.ZEROING_ON, 1e-6),
    ]
    session.apply(Reset())
    session.apply(ToggleZeroing())
    assert [one.what for one in session.pictures().marks()] == [What.ZEROING_OFF]


# Places


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 2)])
def test_places_count_through_all_numbers(shape: tuple[int, ...]) -> None:
    parameters = {"first": torch.zeros(2), "second": torch.arange(float(math.prod(shape))).reshape(shape)}
    for number in range(math.prod(shape)):
        place = place_at(parameters, 2 + number)
        assert place.parameter == "second"
        assert parameters["second"][place.index] == number == place_of(shape, place.index)
    with pytest.raises(IndexError):
        place_at(parameters, 2 + math.prod(shape))


# Nothing changes


ACTIONS: Final = st.sampled_from(
    [
        *(Forward(), Backward(), StepNode(), NextLine(), Update(), Zero(), RunEpochs(3), RunEpochs(20)),
        *(ToggleZeroing(), Undo(), Reset(), GoTo(1, 1)),
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(PROBLEMS)), st.lists(ACTIONS, max_size=8), st.lists(ACTIONS, max_size=3))
def test_looking_changes_nothing_and_the_session_goes_on_alike(
    name: str, actions: list[Action], more: list[Action]
) -> None:
    session, untouched = (Session(PROBLEMS[name](), 1e-6) for _ in range(2))
    for action in actions:
        assert apply(session, action) == apply(untouched, action)
    was, frame = state(session), session.frame
    pictures = session.pictures()
    pictures.surface(*pictures.default_pair().numbers)
    pictures.fit()
    with suppress(BadInput):  # dropout makes no map
        pictures.regions()
    pictures.sizes()
    pictures.marks()
    assert session.frame is frame
    assert state(session) == was
    for action in more:
        assert apply(session, action) == apply(untouched, action)
        mine, others = (
            [(bits(p.value), bits(p.grad)) for p in one.frame.parameters] for one in (session, untouched)
        )
        assert mine == others
