"""The ledger: what every `.grad` was made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    NextLine,
    Reset,
    RunEpochs,
    StepNode,
    StepNodeBack,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.ledger.ledger import GradientPath, Hooked, Line, Unrecorded, Write, Zeroed, since_zeroing
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.session_strategies import problem


def after(*actions: Action, session: Session | None = None) -> Session:
    session = session or Session(problems.load("crops"))
    for action in actions:
        session.apply(action)
    return session


def lines(session: Session, parameter: str = "w") -> list[Line]:
    """The lines of a parameter, oldest first."""
    return list(session.frame.ledger.newest_first(parameter))[::-1]


def assert_ledger_ends_at(newest_first: Sequence[Line], grad: Tensor | None) -> None:
    """Check that each line begins where the one before it ended, and the last one is what `.grad` is."""
    for later, earlier in pairwise(newest_first):
        if not isinstance(later, Unrecorded):
            assert bits(later.before) == bits(earlier.after)
        if isinstance(later, Write) and later.before is not None and later.part is not None:
            assert torch.equal(later.before + later.part, later.after) or later.after.isnan().any()
    assert bits(grad) == bits(newest_first[0].after if newest_first else None)


def test_nothing_is_written_before_the_first_pass() -> None:
    assert lines(after(Forward())) == []


def test_each_pass_adds_a_line_and_zeroing_another() -> None:
    first, zeroed, second = lines(after(*[NextLine()] * 6))
    assert isinstance(first, Write)
    assert isinstance(zeroed, Zeroed)
    assert isinstance(second, Write)
    assert (first.number, first.epoch, second.number, second.epoch) == (1, 1, 2, 2)
    assert first.before is None
    assert bits(first.part) == bits(first.after) == bits(zeroed.before)
    assert not zeroed.after.any()
    assert not second.before.any()
    assert bits(second.part) == bits(second.after)


def test_without_zeroing_a_grad_is_the_sum_of_the_passes_since_the_start() -> None:
    session = after(ToggleZeroing(), *[NextLine()] * 5)
    first, second = since_zeroing(session.frame.ledger.newest_first("w"))
    grad = session.frame.parameters[0].grad
    assert torch.equal(first.part + second.part, grad)

    plain = problems.load("crops")
    w, b = plain.parameters.values()
    plain.loss_fn(plain.model(plain.inputs), plain.targets).backward()
    assert torch.equal(first.part, w.grad)
    with torch.no_grad():
        w -= w.grad * plain.learning_rate
        b -= b.grad * plain.learning_rate
    w.grad = None
    plain.loss_fn(plain.model(plain.inputs), plain.targets).backward()
    assert torch.equal(second.part, w.grad)


def test_inside_a_pass_a_line_appears_with_its_event_and_goes_when_it_is_stepped_back() -> None:
    session = after(Forward(), *[StepNode()] * 7)
    assert lines(session, "b") == []
    session.apply(StepNode())
    (line,) = lines(session, "b")
    assert isinstance(line, Write)
    assert line.event == 8
    assert session.frame.backward.rows[line.event - 1].name == "-> b.grad"
    assert lines(session, "w") == []
    session.apply(StepNodeBack())
    assert lines(session, "b") == []


def test_a_parameter_used_twice_is_summed_inside_one_pass_and_its_paths_are_told() -> None:
    w = torch.tensor([2.0, 3.0])
    inputs = torch.ones(4, 2)
    session = Session(problem({"w": w}, lambda x: (x * w + w.exp()).sum(1), inputs, torch.zeros(4)))
    (line,) = lines(after(Forward(), Backward(), session=session))
    assert isinstance(line, Write)
    assert line.number == 1
    assert {(path.maker, path.source) for path in line.paths} == {
        ("MulBackward0", "x * w"),
        ("ExpBackward0", "w.exp()"),
    }
    assert torch.equal(line.paths[0].grad + line.paths[1].grad, line.part)


def test_a_parameter_with_one_path_has_none_to_tell() -> None:
    (line,) = lines(after(Forward(), Backward()))
    assert isinstance(line, Write)
    assert line.paths == ()


def test_epochs_that_were_not_recorded_are_one_line_that_says_how_many() -> None:
    session = after(RunEpochs(50))
    first, zeroed, between, last, at_the_end = lines(session)
    assert isinstance(between, Unrecorded)
    assert (between.epochs, between.passes) == (48, 48)
    assert isinstance(last, Write)
    assert (first.number, last.number, last.epoch) == (1, 50, 50)
    assert isinstance(zeroed, Zeroed)
    assert isinstance(at_the_end, Zeroed)
    assert since_zeroing(session.frame.ledger.newest_first("w")) == []


def test_what_piled_up_unrecorded_is_not_told_as_a_sum_of_parts() -> None:
    session = after(ToggleZeroing(), RunEpochs(5))
    assert since_zeroing(session.frame.ledger.newest_first("w")) == []
    assert_ledger_ends_at(lines(session)[::-1], session.frame.parameters[0].grad)


def test_undo_and_reset_take_lines_back() -> None:
    session = after(Forward(), Backward(), Update(), Zero(), Undo())
    assert [type(line) for line in lines(session)] == [Write]
    session.apply(Reset())
    assert lines(session) == []
    session.apply(Undo())
    assert [type(line) for line in lines(session)] == [Write]


class Breaks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        raise RuntimeError("on purpose")


def test_a_pass_that_broke_off_leaves_the_lines_of_what_it_had_written() -> None:
    early, late = torch.ones(2), torch.ones(2)
    made = problem(
        {"early": early, "late": late},
        lambda x: Breaks.apply(x * early) + late,
        torch.ones(3, 2),
        torch.zeros(3, 2),
    )
    session = after(Forward(), session=Session(made))
    with pytest.raises(PyTorchError, match="on purpose"):
        session.apply(Backward())
    assert [type(line) for line in lines(session, "late")] == [Write]
    assert lines(session, "early") == []
    with pytest.raises(PyTorchError):
        session.apply(Zero())
    assert_ledger_ends_at(lines(session, "late")[::-1], session.frame.parameters[1].grad)


def test_an_update_that_raised_leaves_no_line() -> None:
    session = after(Forward())
    with pytest.raises(PyTorchError):
        session.apply(Update())
    assert lines(session) == []


def test_what_a_hook_made_of_a_grad_is_a_line_of_its_own() -> None:
    w = torch.ones(2)
    made = problem({"w": w}, lambda x: x * w, torch.ones(3, 2), torch.zeros(3, 2))

    def doubled(leaf: Tensor) -> None:
        leaf.grad *= 2

    handle = w.register_post_accumulate_grad_hook(doubled)
    session = after(Forward(), Backward(), session=Session(made))
    handle.remove()
    written, hooked = lines(session)
    assert isinstance(written, Write)
    assert isinstance(hooked, Hooked)
    assert torch.equal(hooked.before * 2, hooked.after)
    assert_ledger_ends_at([hooked, written], session.frame.parameters[0].grad)


def test_a_path_is_a_plain_fact() -> None:
    path = GradientPath("MulBackward0", "x * w", torch.ones(2))
    with pytest.raises(AttributeError):
        path.maker = "x"  # type: ignore[misc]
