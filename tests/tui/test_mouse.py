"""What the mouse does: rows, numbers, plots and panes react to it."""

from __future__ import annotations

import pytest
from textual import events
from textual.widget import Widget

from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.choosers.problems import ProblemsScreen
from gradstep_tui.screens.dialogs.elements import ElementsScreen
from gradstep_tui.screens.dialogs.pictures import PicturesScreen
from gradstep_tui.screens.dialogs.timeline import TimelineScreen
from gradstep_tui.widgets.losses import LossPanel
from gradstep_tui.widgets.parameters import ParameterPanel
from tests.tui.bench import Opened, bench, frame, idle, opened, press, text


async def click(pilot: Opened, words: str, times: int = 1) -> None:
    """Click the first place on the screen that has some words."""
    rows = text(pilot).splitlines()
    y = next(number for number, row in enumerate(rows) if words in row)
    await pilot.click(None, offset=(rows[y].index(words), y), times=times)
    await idle(pilot)


async def test_a_click_on_a_row_of_the_timeline_chooses_it_and_a_double_click_goes_there() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "u", "z", SIGNS["timeline"])
        await click(pilot, "backward ")
        assert ">     2  backward" in text(pilot)
        await click(pilot, "what happened")
        assert ">     2  backward" in text(pilot)
        await click(pilot, "forward ", times=2)
        assert pilot.app.screen is bench(pilot)
        assert frame(pilot).position == 1


async def test_the_wheel_goes_through_a_list() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", SIGNS["timeline"])
        assert isinstance(pilot.app.screen, TimelineScreen)
        wheel = events.MouseScrollUp(None, 40, 10, 0, 0, 0, False, False, False, 40, 10)
        pilot.app.post_message(wheel)
        await pilot.pause()
        assert ">     1  forward" in text(pilot)


async def test_a_problem_is_begun_with_a_double_click() -> None:
    async with opened() as pilot:
        await press(pilot, SIGNS["problems"])
        await click(pilot, "xor ")
        assert isinstance(pilot.app.screen, ProblemsScreen)
        assert ">  xor" in text(pilot)
        await click(pilot, "xor ", times=2)
        assert frame(pilot).problem == "xor"


async def test_a_click_on_a_number_chooses_it() -> None:
    async with opened() as pilot:
        await press(pilot, SIGNS["elements"])
        await click(pilot, "-0.1720")
        assert "[    -0.1720]" in text(pilot)
        assert "at [1,1]" in text(pilot)


@pytest.mark.parametrize(
    ("pane", "row", "screen"), [(ParameterPanel, 2, ElementsScreen), (LossPanel, 0, PicturesScreen)]
)
async def test_a_click_on_a_pane_opens_what_its_key_opens(pane: type[Widget], row: int, screen: type) -> None:
    async with opened() as pilot:
        await press(pilot, "e")
        await pilot.click(pane, offset=(4, row))
        await idle(pilot)
        assert isinstance(pilot.app.screen, screen)


async def test_a_click_on_a_picture_shows_the_next_one_and_a_click_beside_a_box_closes_it() -> None:
    async with opened() as pilot:
        await press(pilot, SIGNS["pictures"])
        await idle(pilot)
        await pilot.click(None, offset=(40, 10))
        assert "fit (2 of 5)" in text(pilot)
        await press(pilot, "escape", SIGNS["type_rate"])
        await pilot.click(None, offset=(1, 1))
        assert pilot.app.screen is bench(pilot)


async def test_the_manual_opens_the_topic_that_is_double_clicked() -> None:
    async with opened((120, 40)) as pilot:
        await press(pilot, "f1")
        await click(pilot, "glossary ")
        await click(pilot, "glossary ", times=2)
        await pilot.pause()
        assert "what it means" in text(pilot)


async def test_an_optimizer_is_taken_with_a_double_click() -> None:
    async with opened() as pilot:
        await press(pilot, SIGNS["optimizer"])
        await click(pilot, "Adam ")
        assert ">  Adam" in text(pilot)
        await click(pilot, "Adam ", times=2)
        assert frame(pilot).loop.optimizer.name == "Adam"
