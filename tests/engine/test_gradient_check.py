"""Autograd against finite differences, on problems whose derivatives are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Final

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    NextLine,
    RunEpochs,
    StepNode,
    ToggleZeroing,
    Undo,
    Update,
)
from gradstep.analysis.finite_differences import LARGEST, MOST, noise_of, step_for
from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
from gradstep.analysis.judgement import Judgement
from gradstep.errors import BadInput
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_state import apply, state
from tests.session_strategies import PROBLEMS, crops, perceptron, problem


class Wrong(torch.autograd.Function):
    """Doubles; its backward says that it makes three of one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 3


class Single(torch.autograd.Function):
    """Doubles, in float32 only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x.float() * 2).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 2


def weighted(w: Tensor, change: Callable[[Tensor], Tensor], inputs: Tensor | None = None) -> Problem:
    """Multiply by a changed weight; the targets are zeros."""
    inputs = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 1.0]]) if inputs is None else inputs
    return problem({"w": w}, lambda x: x * change(w), inputs, torch.zeros_like(inputs))


def checked(made: Problem) -> GradientCheck:
    return Session(made).check_gradient()


def judgements(found: GradientCheck) -> set[Judgement]:
    return {one.judgement for one in found.elements}


def plain_gradients(session: Session) -> dict[str, Tensor]:
    """What a plain pass here gives."""
    made = session._problem
    loss = made.loss_fn(made.model(made.inputs), made.targets)
    return dict(zip(made.parameters, torch.autograd.grad(loss, list(made.parameters.values())), strict=True))


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("epochs", [0, 50])
def test_real_problems_are_normal_in_float64_and_autograd_is_that_of_plain_pytorch(
    name: str, epochs: int
) -> None:
    session = Session(PROBLEMS[name](), 1e-6)
    if epochs:
        session.apply(RunEpochs(epochs))
    found = session.check_gradient()
    assert (found.precision, found.why_not_double, found.sampled, found.stopped) == (
        "float64",
        "",
        False,
        False,
    )
    assert judgements(found) == {Judgement.NORMAL}
    grads = plain_gradients(session)
    for element in found.elements:
        assert element.own == grads[element.parameter][element.index].item()
        assert element.own == pytest.approx(element.autograd, rel=1e-4, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=2),
    st.lists(st.floats(-8, 8, width=32), min_size=6, max_size=6),
)
def test_of_a_quadratic_the_difference_is_exact_up_to_rounding(w: list[float], x: list[float]) -> None:
    inputs = torch.tensor(x).reshape(3, 2)
    found = checked(weighted(torch.tensor(w), lambda one: one, inputs))
    for place, element in enumerate(found.elements):
        exact = w[place] * inputs.double()[:, place].square().sum().item() / 3
        assert element.autograd == pytest.approx(exact, rel=1e-13)
        assert element.judgement is Judgement.NORMAL
        assert abs(element.finite - exact) <= 10 * element.rounding
        assert element.truncation <= 2 * element.rounding


def test_the_estimated_truncation_is_that_of_the_third_derivative() -> None:
    w = torch.tensor([0.5])
    made = problem(
        {"w": w}, lambda x: x * (10 * w).exp(), torch.ones(1), torch.zeros(1), lambda p, _: p.sum()
    )
    (element,) = checked(made).elements
    expected = element.step**2 / 6 * 1000 * math.exp(5)
    assert element.truncation == pytest.approx(expected, rel=0.2)
    assert element.error == pytest.approx(expected, rel=0.2)


def test_a_wrong_backward_of_a_learners_own_is_suspicious() -> None:
    found = checked(weighted(torch.tensor([0.5, -2.0]), Wrong.apply))
    assert judgements(found) == {Judgement.SUSPICIOUS}
    for element in found.elements:
        assert element.autograd == pytest.approx(1.5 * element.finite, rel=1e-6)
    right = checked(weighted(torch.tensor([0.5, -2.0]), lambda w: w * 2))
    assert judgements(right) == {Judgement.NORMAL}
    assert [one.finite for one in right.elements] == [one.finite for one in found.elements]


def test_a_slightly_wrong_backward_is_suspicious_too_and_the_worst_element_is_named() -> None:
    class Slightly(Wrong):
        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad * torch.tensor([2.0, 2.0 + 1e-6], dtype=grad.dtype)

    found = checked(weighted(torch.tensor([0.5, -2.0]), Slightly.apply))
    assert [one.judgement for one in found.elements] == [Judgement.NORMAL, Judgement.SUSPICIOUS]
    assert found.largest == 1


def test_a_gradient_that_is_cut_off_is_suspicious() -> None:
    assert judgements(checked(weighted(torch.ones(2), lambda w: w + w.detach()))) == {Judgement.SUSPICIOUS}


CONSTANT: Final = torch.tensor([[2.0, 0.0], [0.0, 3.0]])


def test_where_a_constant_is_float32_the_check_is_in_float32_and_says_so() -> None:
    w = torch.tensor([[0.5, 0.25], [1.5, -1.0]])
    inputs = torch.tensor([[1.0, 2.0], [0.5, -1.0]])
    found = checked(problem({"w": w}, lambda x: x @ (CONSTANT @ w), inputs, torch.zeros(2, 2)))
    assert found.precision == "float32"
    assert "RuntimeError" in found.why_not_double
    assert judgements(found) == {Judgement.NORMAL}
    assert all(one.normal > 1e-5 for one in found.elements if one.autograd)


def test_a_model_that_computes_in_float32_within_is_not_taken_for_float64() -> None:
    found = checked(weighted(torch.tensor([0.5, -2.0]), Single.apply))
    assert (found.precision, judgements(found)) == ("float32", {Judgement.NORMAL})
    assert "float32" in found.why_not_double


def test_a_parameter_of_float64_is_checked_as_it_is() -> None:
    found = checked(perceptron(dtype=torch.float64))
    assert found.precision == "float64"
    assert [one.own for one in found.elements] == [one.autograd for one in found.elements]


def test_a_parameter_that_leads_nowhere_has_gradient_0_and_that_is_normal() -> None:
    w, unused = torch.ones(2), torch.ones(1)
    made = problem({"w": w, "unused": unused}, lambda x: x * w, torch.ones(3, 2), torch.zeros(3, 2))
    found = checked(made)
    assert (found.elements[-1].autograd, found.elements[-1].finite) == (0, 0)
    assert judgements(found) == {Judgement.NORMAL}


def test_beside_the_edge_of_a_domain_the_step_becomes_smaller() -> None:
    w = torch.tensor([1e-9])
    (element,) = checked(
        problem({"w": w}, lambda x: x * w.log(), torch.ones(1), torch.zeros(1), lambda p, _: p.sum())
    ).elements
    assert element.step < 1e-9
    assert element.judgement is Judgement.NORMAL


def test_at_a_kink_the_two_do_not_agree() -> None:
    assert judgements(checked(weighted(torch.zeros(2), lambda w: (w + 1).relu() + w.relu()))) == {
        Judgement.SUSPICIOUS
    }


def test_a_loss_that_is_not_finite_is_refused() -> None:
    session = Session(weighted(torch.tensor([1.0, math.inf]), lambda w: w))
    was = state(session)
    with pytest.raises(BadInput, match="nothing can be checked"):
        session.check_gradient()
    assert state(session) == was


def test_what_pytorch_refuses_is_told_in_its_own_words() -> None:
    w = torch.ones(2)
    broken = problem({"w": w}, lambda x: x @ torch.ones(7, 7) * w, torch.ones(3, 2), torch.zeros(3, 2))
    with pytest.raises(PyTorchError, match="mat1 and mat2"):
        checked(broken)
    assert w.dtype is torch.float32


def test_of_many_elements_a_sample_is_checked_with_the_largest_gradients_in_it() -> None:
    size = 3 * MOST
    w = torch.linspace(0, 1, size)
    inputs = torch.ones(1, size)
    with_peaks = inputs.clone()
    with_peaks[0, 4321], with_peaks[0, 7] = 100.0, -50.0
    found = checked(problem({"w": w}, lambda x: x * w, with_peaks, torch.zeros(1, size)))
    assert found.sampled
    assert found.total == size
    places = [one.index[0] for one in found.elements]
    assert places == sorted(set(places))
    assert MOST - 2 * LARGEST <= len(places) <= MOST
    assert {7, 4321} <= set(places)
    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert max(gaps) <= size // (MOST - LARGEST) + 1


def test_it_can_be_stopped_and_gives_what_was_checked_by_then() -> None:
    answers = iter([False, False, True])
    session = Session(crops())
    found = session.check_gradient(lambda: next(answers))
    assert (len(found.elements), found.stopped, found.total) == (3, True, 8)


def test_dropout_draws_the_same_numbers_for_every_loss() -> None:
    found = checked(PROBLEMS["dropout"]())
    assert judgements(found) == {Judgement.NORMAL}
    assert any(one.autograd for one in found.elements)


def test_grad_is_shown_as_it_is_at_this_point() -> None:
    session = Session(crops())
    assert {one.grad for one in session.check_gradient().elements} == {None}
    for _ in range(2):
        session.apply(Forward())
        session.apply(Backward())
    for element in session.check_gradient().elements:
        assert element.grad == 2 * element.own


def test_the_noise_of_a_smooth_function_is_that_of_its_rounding() -> None:
    draw = torch.Generator().manual_seed(1)
    estimates = []
    for _ in range(200):
        noise = torch.randn(9, generator=draw, dtype=torch.float64) * 1e-6
        estimates.append(noise_of([3 + 2 * k - k * k + noise[k].item() for k in range(9)]))
    assert sum(estimates) / len(estimates) == pytest.approx(1e-6, rel=0.2)
    assert noise_of([1.0, 2.0, 5.0, 10.0, 17.0, 26.0, 37.0, 50.0, 65.0]) == 0


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e6])
def test_the_step_is_a_power_of_two_near_the_stated_size(value: float) -> None:
    eps = torch.finfo(torch.float64).eps
    step = step_for(value, eps)
    assert (value + step) - (value - step) == 2 * step
    assert 0.7 < step / (eps ** (1 / 3) * max(1.0, abs(value))) < 1.5


def test_an_element_without_a_number_is_unknown() -> None:
    nan = float("nan")
    element = ElementCheck(
        parameter="w",
        index=(0,),
        value=1.0,
        autograd=1.0,
        own=1.0,
        grad=None,
        step=1e-5,
        plus=nan,
        minus=1.0,
        truncation=0.0,
        rounding=1e-9,
    )
    assert element.judgement is Judgement.UNKNOWN


# Nothing changes


ACTIONS: Final = st.sampled_from(
    [Forward(), Backward(), StepNode(), NextLine(), Update(), RunEpochs(3), ToggleZeroing(), Undo()]
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(PROBLEMS)), st.lists(ACTIONS, max_size=8), st.lists(ACTIONS, max_size=4))
def test_checking_changes_nothing_and_the_session_goes_on_alike(
    name: str, actions: list[Action], more: list[Action]
) -> None:
    session, untouched = (Session(PROBLEMS[name](), 1e-6) for _ in range(2))
    for action in actions:
        assert apply(session, action) == apply(untouched, action)
    was, frame = state(session), session.frame
    session.check_gradient()
    assert session.frame is frame
    assert state(session) == was
    for action in more:  # and PyTorch refuses the same
        assert apply(session, action) == apply(untouched, action)
        mine, others = (
            [(bits(p.value), bits(p.grad)) for p in one.frame.parameters] for one in (session, untouched)
        )
        assert mine == others


def test_an_interrupt_gives_the_tensors_their_numbers_back() -> None:
    session = Session(crops())
    session.apply(Forward())
    was = state(session)

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.check_gradient(interrupt)
    assert state(session) == was
    session.apply(Backward())
