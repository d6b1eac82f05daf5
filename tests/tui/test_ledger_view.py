"""The ledger on screen."""

from __future__ import annotations

import re

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from gradstep import problems
from gradstep.actions import Action, Backward, Forward, NextLine, RunEpochs, ToggleZeroing
from gradstep.frame import Frame
from gradstep.session import Session
from gradstep_tui.drawing.lines import length
from gradstep_tui.widgets.ledger import Element, ledger_lines
from tests.session_strategies import problem
from tests.tui.bench import frame, opened, press, text

NUMBER = r"-?\d+\.\d{4}|0|None"


FIRST = Element()


def drawn(frame: Frame, at: Element = FIRST, *, back: int = 0, width: int = 72, height: int = 20) -> str:
    rows = ledger_lines(frame.parameters[0], frame.ledger, at, back, width, height)
    assert len(rows) <= height
    assert all(length(row) <= width for row in rows)
    return "\n".join("".join(span.text for span in row) for row in rows)


def after(*actions: Action, session: Session | None = None) -> Frame:
    session = session or Session(problems.load("crops"))
    for action in actions:
        session.apply(action)
    return session.frame


def test_every_line_of_arithmetic_adds_up_as_written() -> None:
    shown = drawn(after(ToggleZeroing(), *[NextLine()] * 8), Element(1, 0))
    sums = re.findall(rf"({NUMBER}) \+\s+({NUMBER}) =\s+({NUMBER})  event", shown)
    assert len(sums) == 3
    for old, new, total in sums:
        assert float(old.replace("None", "0")) + float(new) == pytest.approx(float(total), abs=0.01)
    last = shown.splitlines()[-1].strip()
    assert re.fullmatch(rf"(?:{NUMBER})(?: \+ (?:{NUMBER})){{2}} = (?:{NUMBER})", last)
    parts, total = last.split(" = ")
    assert sum(map(float, parts.split(" + "))) == pytest.approx(float(total), abs=0.01)
    assert "Accumulated across 3 passes" in shown


def test_after_zeroing_nothing_is_said_to_have_accumulated() -> None:
    shown = drawn(after(*[NextLine()] * 6))
    assert "zero_()" in shown
    assert "becomes 0" in shown
    assert "Accumulated" not in shown


def test_summing_inside_one_pass_is_told_apart_from_accumulating_across_passes() -> None:
    w = torch.tensor([2.0, 3.0])
    made = problem({"w": w}, lambda x: (x * w + w.exp()).sum(1), torch.ones(4, 2), torch.zeros(4))
    shown = drawn(after(Forward(), Backward(), session=Session(made)))
    assert "inside this pass, 2 paths were summed" in shown
    assert "MulBackward0  x * w" in shown
    assert "ExpBackward0  w.exp()" in shown
    assert "Accumulated" not in shown


def test_a_sum_begins_with_what_was_there_before_the_first_pass() -> None:
    w = torch.ones(2)
    w.grad = torch.full((2,), 0.5)
    made = problem({"w": w}, lambda x: x * w, torch.ones(3, 2), torch.zeros(3, 2))
    found = after(*[Forward(), Backward()] * 2, session=Session(made))
    assert drawn(found).splitlines()[-1].strip() == "0.5000 + 1.0000 + 1.0000 = 2.5000"
    assert "Accumulated across 2 passes" in drawn(found)


def test_two_writes_of_one_pass_are_not_told_as_two_passes() -> None:
    w = torch.tensor([2.0, 3.0])

    def model(x: torch.Tensor) -> torch.Tensor:
        inner = checkpoint(lambda one: one * w, x.clone().requires_grad_(), use_reentrant=True)
        return inner + x * w

    found = after(
        Forward(), Backward(), session=Session(problem({"w": w}, model, torch.ones(4, 2), torch.zeros(4, 2)))
    )
    writes = list(found.ledger.newest_first("w"))
    assert [write.number for write in writes] == [1, 1]
    assert "Accumulated" not in drawn(found)


def test_before_the_first_pass_it_says_why_there_is_nothing() -> None:
    assert "nothing yet: .grad is None until the first backward pass" in drawn(after(Forward()))


def test_a_run_of_epochs_is_one_line_that_says_how_many() -> None:
    assert "98 epochs ran at full speed" in drawn(after(RunEpochs(100)))


def test_more_lines_than_there_is_room_for_can_be_scrolled_to() -> None:
    found = after(ToggleZeroing(), *[NextLine()] * 60)
    newest, older = drawn(found), drawn(found, back=5)
    assert "lines above" in newest
    assert "pass 20, epoch 20" in newest
    assert "pass 20, epoch 20" not in older
    assert "pass 15, epoch 15" in older
    assert "pass 1, epoch 1 " in drawn(found, back=500)


@pytest.mark.parametrize("shape", [(), (3,), (40, 30), (2, 3, 4)])
def test_a_parameter_of_any_shape_fits_and_its_last_element_can_be_chosen(shape: tuple[int, ...]) -> None:
    w = torch.randn(shape)
    made = problem({"w": w}, lambda x: x * w.sum(), torch.ones(2), torch.zeros(2))
    found = after(Forward(), Backward(), session=Session(made))
    at = Element().moved(10_000, 10_000, w)
    assert at.of(w.detach()) == float(w.detach().reshape(-1)[-1])
    assert "[" in drawn(found, at)


async def test_g_opens_it_arrows_choose_a_number_and_tab_the_parameter() -> None:
    async with opened() as pilot:
        await press(pilot, *"fbg")
        assert "w.grad  apples, temp" in text(pilot)
        await press(pilot, "down", "right", "right", "right")
        assert "w.grad  oranges, humidity" in text(pilot)
        await press(pilot, "tab")
        assert "b.grad  apples" in text(pilot)
        await press(pilot, "tab", "escape", "left")
        assert frame(pilot).position == 1
