"""The gradient check, with real keys and in plain lines."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gradstep.actions import Backward, Forward
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.screens.dialogs.gradient_check import CheckScreen
from gradstep_tui.text.gradient_check import grad_text, long, small
from gradstep_tui.widgets.gradient_check import check_lines
from tests.session_strategies import crops, problem
from tests.tui.bench import Opened, bench, frame, headless, idle, opened, press, state, text, until
from tests.tui.frames import plain


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 3


def wrong() -> Problem:
    w, b = torch.tensor([1.0, -2.0]), torch.tensor([0.5])
    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    return problem({"w": w, "b": b}, lambda x: x * Wrong.apply(w) + b, inputs, torch.zeros(2, 2))


async def check(pilot: Opened) -> None:
    await press(pilot, "h")
    await until(pilot, lambda: isinstance(pilot.app.screen, CheckScreen))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_c_shows_every_number_and_the_chosen_one_as_arithmetic(size: tuple[int, int]) -> None:
    found = Session(crops()).check_gradient()
    async with opened(size) as pilot:
        await check(pilot)
        shown = " ".join(text(pilot).replace("│", "").split())
        assert "8 of 8 numbers checked: 8 normal." in shown
        first = found.elements[0]
        assert f"= ({first.plus:.16g} - {first.minus:.16g})" in shown
        assert f"autograd: {long(first.autograd)}" in shown
        assert "w.grad is None" in shown
        await press(pilot, "end")
        assert f"autograd: {long(found.elements[-1].autograd)}" in text(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == state(headless([]))


async def test_arrows_and_tab_choose_the_number_and_w_the_worst() -> None:
    async with opened(make=lambda: Session(wrong())) as pilot:
        await check(pilot)
        assert "w[0] = 1.0000" in text(pilot)
        await press(pilot, "down")
        assert "w[1] = -2.0000" in text(pilot)
        await press(pilot, "tab")
        assert "b[0] = 0.5000" in text(pilot)
        await press(pilot, "down", "tab")
        assert "w[0] = 1.0000" in text(pilot)
        await press(pilot, "shift+tab", "up", "up", "up")
        assert "w[0] = 1.0000" in text(pilot)
        await press(pilot, "tab", "greater_than_sign")
        worst = Session(wrong()).check_gradient()
        assert worst.largest is not None
        assert f"w[{worst.elements[worst.largest].index[0]}] = " in text(pilot)


async def test_a_wrong_backward_is_told_without_colour() -> None:
    async with opened(make=lambda: Session(wrong()), ascii_only=True) as pilot:
        await check(pilot)
        shown = text(pilot)
        assert shown.count("SUSPICIOUS") == 2
        assert "1 normal, 2 suspicious" in shown
        assert "may be wrong" in shown
        assert shown.isascii()


async def test_after_accumulation_it_says_what_grad_holds_instead() -> None:
    async with opened() as pilot:
        await press(pilot, *"fbfb")
        await check(pilot)
        shown = " ".join(text(pilot).replace("│", "").split())
        assert "the sum of 2 passes" in shown
        await press(pilot, "h")
        assert state(frame(pilot)) == state(headless([Forward(), Backward()] * 2))


async def test_keys_pressed_while_it_works_find_the_bench_and_the_check_opens_all_the_same() -> None:
    async with opened() as pilot:
        await press(pilot, "h", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CheckScreen) or not bench(pilot).running)
        await idle(pilot)


def test_in_plain_lines_it_tells_all_and_the_worst_or_the_one_asked_for() -> None:
    told: list[str] = []
    talk = Conversation(Session(wrong()), told.append)
    talk.answer("check")
    whole = "\n".join(told)
    assert "3 of 3 numbers checked: 1 normal, 2 suspicious." in whole
    assert "finite difference: (L(w[" in whole
    told.clear()
    talk.answer("check b 0")
    assert told[0].startswith("b[0] = 0.5000")
    told.clear()
    talk.answer("h carrots")
    assert told == ["error: 'carrots' is not a parameter; the parameters are w, b"]


def test_how_grad_relates_is_said_for_each_case() -> None:
    session = Session(crops())

    def said() -> str:
        return grad_text(session.check_gradient().elements[0], session.frame.ledger)

    assert "is None" in said()
    session.apply(Forward())
    session.apply(Backward())
    assert "holds just this" in said()
    talk = Conversation(session, lambda _: None)
    talk.answer("u")
    assert "from other parameter values" in said()
    talk.answer("z")
    assert "holds 0 here" in said()


@pytest.mark.parametrize("height", [8, 20, 40])
def test_the_lines_fit_the_width_and_show_the_chosen_number(height: int) -> None:
    session = Session(crops())
    found = session.check_gradient()
    for at in range(8):
        lines = plain(check_lines(found, session.frame.ledger, at, 76, height))
        assert all(len(one) <= 76 for one in lines)
        assert sum(one.startswith(">") for one in lines) == 1


def test_sizes_of_errors_are_short() -> None:
    assert [small(one) for one in (0.0, 1.23e-7, float("nan"))] == ["0", "1.2e-07", "nan"]
