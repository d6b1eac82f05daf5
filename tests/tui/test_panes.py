"""Panes: the focus goes from one to the next, the arrows act in the one that has it, and any is zoomed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradstep.opening import open_session
from gradstep.start import start_from
from gradstep_tui.widgets.code.code import CodePanel
from tests.tui.bench import Opened, bench, frame, idle, opened, press, text

OWN = """import torch

w = torch.zeros(1, requires_grad=True)

def loss_of(w):
    return ((w * 2.0 - 1.0) ** 2).sum()

lr = 0.1
for step in range(9):
    loss = loss_of(w)
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
    w.grad = None
"""

SIZES = ((80, 24), (120, 40), (160, 50))


def in_focus(pilot: Opened) -> str:
    """Return the title of the pane in focus, which has a heavy rule."""
    [title] = re.findall(r"(?:^| )━ ([^━]+) ━", text(pilot), re.MULTILINE)
    return title.strip()


async def test_tab_gives_each_pane_in_turn_the_focus_and_shift_tab_goes_back() -> None:
    async with opened((120, 40)) as pilot:
        await press(pilot, "f", "b")
        assert in_focus(pilot) == "loop"
        seen = []
        for _ in range(6):
            await press(pilot, "tab")
            seen.append(in_focus(pilot).split("  ")[0].split(":")[0])
        assert seen == ["loss.backward()", "looking back at 11", "parameters", "data", "loss", "loop"]
        await press(pilot, "shift+tab")
        assert in_focus(pilot) == "loss"


async def test_while_a_pass_is_stepped_its_list_has_the_focus_and_afterwards_the_code_again() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s")
        assert in_focus(pilot).startswith("loss.backward()")
        await press(pilot, "b")
        assert in_focus(pilot) == "loop"


async def test_the_focus_is_seen_in_ascii() -> None:
    async with opened(ascii_only=True) as pilot:
        assert "= loop ===" in text(pilot)
        assert "- parameters ---" in text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_each_element_of_a_step_can_be_chosen_and_is_worked_out(size: tuple[int, int]) -> None:
    async with opened(size) as pilot:
        await press(pilot, *"fsss", "tab")
        assert "e.g. 0.1000 × 7.6542 = 0.7654" in text(pilot)
        await press(pilot, "down")
        assert "[0, 0]: 0.1000 × 7.6542 = 0.7654" in text(pilot)
        await press(pilot, *["down"] * 9, "down", "down")
        assert "[4, 1]: 0.1000 × (-169.3730) = -16.9373" in text(pilot)
        await press(pilot, *["up"] * 30)
        assert "[0, 0]:" in text(pilot)
        await press(pilot, "s")
        assert "[0, 0]:" not in text(pilot)


async def test_an_event_that_is_looked_at_again_is_worked_out_element_by_element_too() -> None:
    async with opened() as pilot:
        await press(pilot, *"fbu", "tab", *["up"] * 8, "tab", "down", "down")
        assert "looking back at 3: Mul" in text(pilot)
        assert "[0, 1]: 0.1000 × (-159.2996) = -15.9300" in text(pilot)
        await press(pilot, "escape")
        assert "looking back" not in text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_a_zoomed_pane_stands_alone_goes_on_with_the_session_and_escape_shows_all(
    size: tuple[int, int],
) -> None:
    async with opened(size) as pilot:
        await press(pilot, *"fsss", "tab", ";")
        assert in_focus(pilot) == "Mul: diff * diff"
        assert "loss.backward()" not in text(pilot)
        assert "The other factor is therefore the local" in " ".join(text(pilot).split())
        await press(pilot, "s", "s")
        assert in_focus(pilot) == "Sub: t1 - t2"
        await press(pilot, "escape")
        assert "loss.backward()" in text(pilot)
        assert "parameters" in text(pilot)
        assert frame(pilot).in_pass


async def test_every_pane_can_be_zoomed_also_one_that_has_no_room_beside_the_others() -> None:
    async with opened() as pilot:
        await press(pilot, "f", ";")
        seen = [in_focus(pilot)]
        for _ in range(5):
            await press(pilot, "tab")
            seen.append(in_focus(pilot).split(":")[0])
        assert seen == [
            "crops.py: PgUp and PgDn scroll",
            "loss.backward()",
            "forward",
            "parameters",
            "data",
            "loss",
        ]


async def test_a_zoomed_pane_fills_a_resized_terminal() -> None:
    async with opened() as pilot:
        await press(pilot, "tab", ";")
        await pilot.resize_terminal(120, 40)
        await idle(pilot)
        assert text(pilot).count("━") > 80
        assert "parameters" not in text(pilot)


async def test_rows_that_do_not_fit_are_scrolled_by_the_arrows() -> None:
    async with opened((120, 36)) as pilot:
        await press(pilot, "f", *["tab"] * 4, "down", "down")
        assert in_focus(pilot).startswith("data")
        assert [row for row in text(pilot).splitlines() if " 3   119  133" in row]
        assert not [row for row in text(pilot).splitlines() if " 1    56   70" in row]


async def test_a_click_on_a_title_zooms_its_pane_and_a_second_one_shows_all_again() -> None:
    async with opened() as pilot:
        await pilot.click("#parameters", offset=(4, 0))
        await idle(pilot)
        assert in_focus(pilot) == "parameters"
        assert "loop" not in text(pilot)
        await pilot.click("#parameters", offset=(4, 0))
        await idle(pilot)
        assert "loop" in text(pilot)
        assert bench(pilot).frame is not None


async def test_the_zoomed_code_shows_the_whole_file_with_the_loop_below_it() -> None:
    async with opened() as pilot:
        await press(pilot, "f", ";")
        shown = text(pilot).splitlines()
        assert "crops.py: PgUp and PgDn scroll" in shown[1]
        assert " 33       diff = t1 - t2" in shown
        assert "      # the training loop" in shown
        assert ">   b loss.backward()" in shown
        await press(pilot, "pageup", "pageup", "pageup")
        assert " 16   learning_rate = 1e-5" in text(pilot).splitlines()
        await press(pilot, "down", "down")  # the arrows move the loop's cursor, which is followed
        assert "    u|with torch.no_grad():" in text(pilot).splitlines()
        await press(pilot, "#")
        assert "    u|# with torch.no_grad():" in text(pilot).splitlines()
        await press(pilot, "#", "s", "s", "s")
        code = bench(pilot).query_one(CodePanel)
        assert ("diff * diff", "lit") in [span for row in code._lines for span in row]
        await press(pilot, "escape")
        assert "# the training loop" not in text(pilot)


async def test_the_zoomed_code_shows_a_script_with_its_own_loop_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    async with opened(make=lambda: open_session(start_from(str(path)))) as pilot:
        await press(pilot, ";")
        shown = text(pilot).splitlines()
        assert any(row.startswith("  1   import torch") for row in shown)
        assert any(row.startswith(">10 f     loss = loss_of(w)") for row in shown)
        await press(pilot, "down", "down", "K")
        order = [row[:3].strip() for row in text(pilot).splitlines() if row[1:3].strip().isdigit()]
        assert order == [*map(str, range(1, 10)), ">11", "10", "12", "13", "14"]


async def test_functions_above_a_scripts_loop_have_line_numbers_as_the_loop_has(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    async with opened((120, 40), make=lambda: open_session(start_from(str(path)))) as pilot:
        shown = text(pilot)
        assert "  5   def loss_of(w):" in shown
        assert "  6       return" in shown
        await press(pilot, "f", "s", "s")
        assert "> 6       return" in text(pilot)
