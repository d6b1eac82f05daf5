"""The bench in terminals of every size."""

from __future__ import annotations

import pytest

from tests.tui.bench import Opened, bench, frame, opened, press, state, text, until

TRACE = (
    "1 Div",
    "2 Sum",
    "3 Mul",
    "4 (+)",
    "5 Sub",
    "6 Add",
    "7 (sum)",
    "8 -> b.grad",
    "9 Mm",
    "10 T",
)


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (40, 10), (10, 3), (1, 1)])
async def test_below_80x24_it_says_what_it_needs_and_comes_back_with_the_session(
    size: tuple[int, int],
) -> None:
    async with opened() as pilot:
        await press(pilot, *"fsss")
        was, shown = state(frame(pilot)), text(pilot)
        await pilot.resize_terminal(*size)
        if size[0] >= 40:
            await until(pilot, lambda: "gradstep needs 80x24" in text(pilot))
            assert f"this terminal is {size[0]}x{size[1]}" in text(pilot)
            assert "q quits" in text(pilot)
        await press(pilot, "s", "b", "u", "left", "r", "?", "Z")
        assert pilot.app.screen is bench(pilot)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: text(pilot) == shown)
        assert state(frame(pilot)) == was


async def test_started_too_small_it_is_there_once_there_is_room() -> None:
    async with opened((60, 20)) as pilot:
        assert "gradstep needs 80x24" in text(pilot)
        await pilot.resize_terminal(80, 24)
        assert "next: forward" in text(pilot)


async def test_q_leaves_a_terminal_that_is_too_small() -> None:
    async with opened((60, 20)) as pilot:
        await press(pilot, "q")
        assert pilot.app.return_code == 0


@pytest.mark.parametrize("size", [(80, 24), (81, 25), (111, 60), (112, 36), (120, 40), (160, 50), (300, 100)])
async def test_every_size_from_80x24_on_shows_everything(size: tuple[int, int]) -> None:
    async with opened(size) as pilot:
        await press(pilot, "e", "Z", *"fssssssss")
        shown = text(pilot)
        assert max(map(len, shown.splitlines())) <= size[0]
        for part in ("crops", "lr 1e-05", "zeroing OFF", "epochs done 1", "in backward 8/11", "12756.5527"):
            assert part in shown
        for part in (
            "before",
            "new gradient",
            "b.grad",
            "> 8 -> b.grad",
            "AccumulateGr",
            ">b loss.backward()",
        ):
            assert part in shown
        for part in ("next: s runs one node", "s next node", "? help", "q quit"):
            assert part in shown
        if size[0] < 112 or size[1] < 36:
            return
        for part in (
            "temp",
            "rainfall",
            "humidity",
            "apples",
            "oranges",
            "w.grad",
            "2x3",
            *TRACE[size[1] < 40 :],
        ):
            assert part in shown
        for part in ("preds = model(inputs)", "w -= w.grad * lr", "# w.grad.zero_()"):
            assert part in shown


async def test_at_80x24_the_parameters_are_scrolled_in_place_and_come_back() -> None:
    async with opened() as pilot:
        await press(pilot, *"fb")
        at_first = text(pilot)
        assert "PgDn shows" in at_first
        seen = at_first
        for _ in range(8):
            await press(pilot, "pagedown")
            seen += text(pilot)
            if text(pilot) == at_first:
                break
        assert text(pilot) == at_first
        for part in ("apples", "oranges", "b.grad", "w.grad"):
            assert part in seen


@pytest.mark.parametrize("keys", [("r",), ("l",), ("?",), ("f", "s", "enter"), ("ctrl+p",)])
async def test_a_resize_with_another_screen_open_is_safe(keys: tuple[str, ...]) -> None:
    async with opened() as pilot:
        await press(pilot, *keys)
        await _through_sizes(pilot)
        await press(pilot, "escape")
        assert "crops" in text(pilot)


async def test_a_resize_in_the_middle_of_every_step_is_safe() -> None:
    async with opened() as pilot:
        await press(pilot, "f")
        for number in range(11):
            await press(pilot, "s")
            await pilot.resize_terminal(80 + 13 * (number % 5), 24 + 7 * (number % 4))
        await pilot.resize_terminal(80, 24)
        shown = text(pilot)
    async with opened() as pilot:
        await press(pilot, *"fsssssssssss")
        assert text(pilot) == shown


async def _through_sizes(pilot: Opened) -> None:
    for size in ((120, 40), (30, 8), (1, 1), (80, 24), (160, 50), (80, 24)):
        await pilot.resize_terminal(*size)
