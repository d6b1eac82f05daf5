"""The graph on screen, with real keys; and in plain lines."""

from __future__ import annotations

import html
from functools import partial
from pathlib import Path

import pytest

from gradstep.actions import Forward, StepNode, StepNodeBack
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.pictures import PicturesScreen
from gradstep_tui.text.refusals import refusal_text
from tests.session_strategies import crops
from tests.tui.bench import bench, frame, headless, idle, opened, press, state, text, until


async def test_g_draws_the_graph_and_the_pass_is_stepped_in_it() -> None:
    async with opened() as pilot:
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, PicturesScreen)
        assert "forward (f)" in text(pilot)
        await press(pilot, "f", *["s"] * 4)
        shown = text(pilot)
        for part in (
            "[x 3 Mul",
            "[> 4 (+)  2 paths into diff",
            "[  6 Add",
            "> 4/11 (+): 2 paths into diff, before SubBackward0",
        ):
            assert part in shown
        await press(pilot, "S")
        assert "[> 3 Mul" in text(pilot)
        stepped = [Forward(), *[StepNode()] * 4, StepNodeBack()]
        assert state(frame(pilot)) == state(headless(stepped))
        await press(pilot, "b")
        assert "[> 11 -> w.grad" in text(pilot)
        await press(pilot, "a")
        assert pilot.app.screen is bench(pilot)


async def test_what_cannot_be_stepped_is_said_beside_the_graph() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "a")
        assert "[> 11 -> w.grad" in text(pilot)
        await press(pilot, "s")
        assert "every node of this pass has run: " in text(pilot)
        await press(pilot, "f", "s", "f")
        refusal = frame(pilot).refusal(Forward())
        assert refusal is not None
        assert refusal_text(refusal) in " ".join(text(pilot).replace("│", "").split())


async def test_after_a_step_the_other_pictures_are_computed_anew() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "i")
        await until(pilot, lambda: "X is here: loss" in text(pilot))
        await press(pilot, "shift+tab", *["s"] * 8, "shift+tab", "shift+tab")
        await until(pilot, lambda: "w.grad      no pass" in text(pilot))
        await press(pilot, "down", "down")
        assert "size of b.grad up" in text(pilot)
        await idle(pilot)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_arrows_scroll_a_graph_that_is_larger_than_the_screen_and_a_step_leads_back(
    ascii_only: bool,
) -> None:
    async with opened(make=partial(_session, "rnn"), ascii_only=ascii_only) as pilot:
        await press(pilot, "f", "s", "a")
        assert "[> 1 Mean" in text(pilot)
        await press(pilot, "down", "down", "down", "down")
        assert "1 Mean  " not in text(pilot)
        assert "-> w_back.grad" in text(pilot)
        await press(pilot, "s")
        assert "[> 2 Pow" in text(pilot)
        assert not ascii_only or text(pilot).isascii()


async def test_x_writes_the_whole_graph_also_what_is_not_on_screen(tmp_path: Path) -> None:
    async with opened(make=partial(_session, "rnn")) as pilot:
        await press(pilot, "f", "s", "a")
        assert "w_in.grad" not in text(pilot)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, AskScreen)
        pilot.app.screen.field.value = str(tmp_path / "graph")
        await press(pilot, "enter")
        assert "wrote graph.svg" in text(pilot)
    written = html.unescape((tmp_path / "graph.svg").read_text(encoding="utf-8")).replace("\xa0", " ")
    for node in ("> 1 Mean", "27 -> w_back.grad", "31 -> w_in.grad"):
        assert node in written


def _session(name: str) -> Session:
    return open_session(Start(name))


def test_in_plain_lines_the_graph_is_told() -> None:
    told: list[str] = []
    talk = Conversation(Session(crops()), told.append)
    talk.answer("graph")
    assert "forward computes the loss" in told[-1]
    for command in ("f", "s", "s", "s"):
        talk.answer(command)
    told.clear()
    talk.answer("graph")
    assert told[:8] == [
        "the graph of loss.backward(): 9 nodes, from the loss to the leaves",
        "1 Div, has run: begins with the gradient of the loss by the loss itself, 1; goes to 2 Sum",
        "2 Sum, has run: from 1 Div; goes to 3 Mul",
        "3 Mul, current: from 2 Sum; goes to 4 (+) twice",
        "4 (+) 2 paths into diff, still ahead: adds up 2 gradients, from 3 Mul twice; goes to 5 Sub",
        "5 Sub, still ahead: from 4 (+); goes to 6 Add",
        "6 Add, still ahead: from 5 Sub; goes to 9 Mm and 7 (sum)",
        "7 (sum) 5 rows into b, still ahead: from 6 Add; goes to 8 -> b.grad",
    ]
    assert "11 -> w.grad, still ahead: from 10 T; the gradient ends here" in told
