"""Optimizers on the screens and in what `gradstep run` prints, with real keys and a real session."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input, Label

from gradstep.actions import Backward, Forward, RunEpochs, SetOptimizer, Undo, Update
from gradstep.frame import Frame
from gradstep.loop.optimizers import HAND, NAMES, OPTIONS, PYTORCH_NAMES, optimizer_from
from gradstep.opening import open_session
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.commands.reports.json_report import json_line
from gradstep_tui.commands.reports.notebook_report import printed
from gradstep_tui.drawing.lines import Line, length
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.choosers.optimizers import MOST_OPTIONS, optimizer_lines
from gradstep_tui.text import settings
from gradstep_tui.text.lessons.update_texts import numbers_texts, worked_number
from gradstep_tui.widgets.parameters import ParameterPanel, fitting_parts, parameter_lines
from gradstep_tui.widgets.status import status_line
from gradstep_tui.widgets.steps.step import labels_of, update_lines, whole_update_lines
from tests.saved_sessions import saved_at
from tests.tui.bench import Opened, bench, frame, opened, press, text, until

MOMENTUM = "SGD(momentum=0.9)"


def updated(name: str, problem: str = "crops") -> Frame:
    session = open_session(Start(problem, optimizer=optimizer_from(name)))
    for action in (Forward(), Backward()):
        session.apply(action)
    return session.apply(Update())


def told(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in one) for one in lines)


async def choose(pilot: Opened, typed: str) -> AskScreen[object]:
    await press(pilot, "o")
    asking = pilot.app.screen
    assert isinstance(asking, AskScreen)
    await until(pilot, lambda: isinstance(asking.focused, Input))
    asking.query_one(Input).insert_text_at_cursor(typed)
    await press(pilot, "enter")
    return asking


async def test_o_asks_for_the_optimizer_and_enter_alone_takes_the_chosen_one() -> None:
    async with opened() as pilot:
        by_hand = frame(pilot).loop
        await choose(pilot, MOMENTUM)
        assert frame(pilot).loop.optimizer == optimizer_from(MOMENTUM)
        assert "optimizer.step()" in text(pilot)
        await press(pilot, "f", "b", "u")
        shown = text(pilot)
        assert "momentum_buffer = w.grad" in shown
        assert "w = w - lr * momentum_buffer" in shown
        assert "parameters; g shows momentum_buffer" in shown
        await press(pilot, "g")
        assert "optimizer state: momentum_buffer 399.9787" in text(pilot)
        await press(pilot, "escape", "enter")
        assert "SGD: lr = 1e-05, momentum = 0.9" in text(pilot)
        await press(pilot, "escape")
        await choose(pilot, "")  # the present one is chosen
        assert frame(pilot).loop.optimizer == optimizer_from(MOMENTUM)
        await press(pilot, "o", "up", "enter")
        assert frame(pilot).loop.statements == by_hand.statements
        assert frame(pilot).loop.optimizer == HAND
        await press(pilot, "left", "left")
        assert not frame(pilot).parameters[0].memory
        assert frame(pilot).loop.optimizer == optimizer_from(MOMENTUM)


async def test_the_list_says_what_each_optimizer_and_each_of_its_options_does() -> None:
    async with opened() as pilot:
        await press(pilot, "o")
        shown = text(pilot)
        assert ">* hand      the loop's own lines, w -= lr * w.grad" in shown
        assert "It has no options." in shown
        await press(pilot, "down", "down", "down")
        shown = text(pilot)
        assert ">  Adam      averages gradients, and divides by their usual size" in shown
        assert "betas=(0.9, 0.999)" in shown
        await press(pilot, *"sgd(")
        await until(pilot, lambda: "momentum=0.0" in text(pilot))
        assert ">  SGD" in text(pilot)
        await press(pilot, "up")
        await press(pilot, "enter")
        assert frame(pilot).loop.optimizer == HAND


def test_each_optimizer_and_each_option_is_described() -> None:
    assert settings.OPTIMIZERS.keys() == set(NAMES)
    assert settings.OPTIONS.keys() == {option for options in OPTIONS.values() for option in options}
    for place, name in enumerate(NAMES):
        rows = optimizer_lines(place, HAND)
        assert len(rows) <= len(NAMES) + MOST_OPTIONS + 2
        assert all(length(row) <= 74 for row in rows), name


async def test_an_unknown_optimizer_is_answered_in_place() -> None:
    async with opened() as pilot:
        asking = await choose(pilot, "Adan")
        assert pilot.app.screen is asking
        asked = " ".join(text(pilot).split())
        assert [name for name in NAMES if name not in asked] == []
        said = str(asking.query_one("#wrong", Label).render())
        assert (
            said
            == f"no optimizer is called 'Adan'. Did you mean 'Adam'? The optimizers are: {', '.join(NAMES)}"
        )
        await press(pilot, "escape")
        assert frame(pilot).loop.optimizer == HAND


async def test_inside_a_pass_the_key_says_why_not() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "o")
        assert pilot.app.screen is bench(pilot)
        assert "a backward pass is under way" in text(pilot)


async def test_with_room_the_memory_stands_with_the_parameters() -> None:
    make = partial(open_session, Start(optimizer=optimizer_from(MOMENTUM)))
    async with opened((160, 60), make=make) as pilot:
        await press(pilot, "f", "b", "u")
        assert "w.momentum_buffer" in text(pilot)
        assert "g shows" not in text(pilot)


def test_what_an_update_changed_is_marked() -> None:
    shown = told(parameter_lines(updated("Adam"), 60, stacked=False, parts=["step", "exp_avg"]))
    assert "w.step 1*" in shown
    assert "39.998*" in shown
    assert "exp_avg_sq" not in shown


@pytest.mark.parametrize("height", range(9, 40))
def test_parts_are_shown_as_far_as_there_is_room(height: int) -> None:
    frame = updated("Adam(amsgrad=True)")
    parts = fitting_parts(frame, 46, height, stacked=False)
    assert len(parameter_lines(frame, 46, stacked=False, parts=parts)) <= max(height, 9)
    assert height < 30 or len(parts) == 4


@pytest.mark.parametrize(
    "name",
    [MOMENTUM, "Adam(amsgrad=True, weight_decay=0.1)", "RMSprop(centered=True)", *PYTORCH_NAMES],
)
@pytest.mark.parametrize(("width", "height"), [(45, 8), (45, 3), (45, 1), (70, 40)])
def test_an_update_is_drawn_in_any_room(name: str, width: int, height: int) -> None:
    frame = updated(name)
    assert frame.update is not None
    lines = update_lines(frame.update, width, height)
    assert len(lines) <= height
    assert max(map(length, lines)) <= width
    shown = told(lines)
    assert re.search(r"\bw(\[\w+, \w+\])? = |^ *w +new w$", shown, re.MULTILINE)
    if height == 40:
        assert "docs.pytorch.org" in shown
        assert re.search(r"^ *w +new w$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    "name",
    [MOMENTUM, "Adam(amsgrad=True, weight_decay=0.1)", "RMSprop(momentum=0.5)", *PYTORCH_NAMES],
)
def test_every_formula_is_shown_with_numbers_that_come_to_its_result(name: str) -> None:
    session = Session(open_session(Start(optimizer=optimizer_from(name))).problem, 1e-3, optimizer_from(name))
    for action in [Forward(), Backward(), Update()] * 2:
        frame = session.apply(action)
    assert frame.update is not None
    found = worked_number(frame.update, labels_of(frame))
    assert found is not None
    for formula in found.formulas:
        for line in numbers_texts(formula, found.update, found.element):
            target, numbers, result = line.split(" = ")
            assert target == (found.element if formula.target == "p" else formula.target)
            if numbers == "w.grad":
                continue
            made = eval(numbers, {"sqrt": math.sqrt, "maximum": max})
            assert made == pytest.approx(float(result), rel=2e-3), line
            if formula.target == "p":
                assert numbers.split(" - ")[0].strip("()") != result


def test_the_window_of_an_update_has_its_options_and_a_table_of_everything() -> None:
    frame = updated("Adam")
    assert frame.update is not None
    lines = whole_update_lines(frame.update, 95, labels_of(frame))
    shown = told(lines)
    assert max(map(length, lines)) <= 95
    assert "Adam: lr = 1e-05, beta1 = 0.9, beta2 = 0.999, eps = 1e-08" in shown
    for part in ("w.grad", "new w.exp_avg", "new w.exp_avg_sq", "new w.step", "b.grad", "new b.exp_avg_sq"):
        assert part in shown
    assert shown.count("humidity") >= 5
    assert "…" not in shown


def test_the_status_line_has_the_options_where_there_is_room() -> None:
    frame = updated("SGD(momentum=0.9, nesterov=True)")
    assert "SGD(...), lr" in told([status_line(frame, 80)])
    assert "SGD(momentum=0.9, nesterov=True), lr" in told([status_line(frame, 120)])
    assert len(told([status_line(frame, 80)])) <= 80


def test_a_panel_without_a_frame_has_its_title() -> None:
    assert ParameterPanel().title_text() == "parameters"


# Without a screen


def test_json_lines_have_the_optimizer_and_what_it_remembers() -> None:
    action = SetOptimizer(optimizer_from("Adam"))
    session = Session(open_session(Start()).problem)
    facts = json.loads("".join(json_line(action, session.apply(action))))
    assert facts["arguments"] == {"optimizer": {"name": "Adam"}}
    assert facts["optimizer"] == "Adam"
    assert facts["parameters"]["w"]["optimizer"] == {}
    facts = json.loads("".join(json_line(RunEpochs(2), session.apply(RunEpochs(2)))))
    assert facts["parameters"]["w"]["optimizer"]["step"] == 2
    assert set(facts["parameters"]["b"]["optimizer"]) == {"step", "exp_avg", "exp_avg_sq"}


def test_what_is_printed_after_the_first_update_has_the_memory() -> None:
    assert any(
        "w's momentum_buffer after the first update" in one for one in printed(Update(), updated(MOMENTUM))
    )
    assert not any("'s " in one for one in printed(Update(), updated("hand")))


@pytest.mark.parametrize("chosen", ["RMSprop", "Adagrad(initial_accumulator_value=0.5)", "NAdam", "Adadelta"])
def test_a_session_file_names_the_optimizer_and_comes_back_to_its_bits(tmp_path: Path, chosen: str) -> None:
    path = tmp_path / "session.jsonl"
    done = (RunEpochs(3), SetOptimizer(optimizer_from(chosen)), RunEpochs(2), Undo(), Undo(), RunEpochs(1))
    saved_at(path, done, Start(optimizer=optimizer_from(MOMENTUM)))
    saved = read_session_file(path)
    assert saved.header.start.optimizer == optimizer_from(MOMENTUM)
    assert "w.momentum_buffer" in saved.actions[0].numbers
    assert "w.step" in saved.actions[2].numbers
    assert replay(saved).mismatch is None
