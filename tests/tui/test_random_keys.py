"""Any keys at any time in any order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from gradstep.opening import open_session
from gradstep_tui.keys import BY_NAME
from tests.tui.bench import (
    Opened,
    bench,
    drawn,
    frame,
    headless,
    idle,
    opened,
    press,
    state,
    text,
    type_ahead,
    until,
)

BEGINNING: Final = tuple(
    name for name, key in BY_NAME.items() if key.id in ("problems", "reload", "lesson", "lessons")
)
STAYING: Final = tuple(name for name in BY_NAME if name != "q" and name not in BEGINNING)
WORKING: Final = (*STAYING, *("sssbfue" * 2), *["space", "escape"] * 8)
EDITING: Final = ("enter", "escape", "backspace", "delete", "tab", "shift+tab", "ctrl+a", "ctrl+u", "ctrl+l")
MOVING: Final = ("up", "down", "left", "right", "pageup", "pagedown", "home", "end")
OTHERS: Final = (*"670.x-ö漢", *EDITING, *MOVING, "ctrl+z", "f1")
SIZES: Final = ((80, 24), (80, 24), (120, 40), (160, 50), (79, 24), (30, 10), (1, 1), (112, 36), (200, 24))


async def press_at_random(
    pilot: Opened, draw: random.Random, count: int, working: tuple[str, ...] = WORKING, least: int = 0
) -> list[str]:
    """Press keys one by one and in bursts, change the size in between; return what was pressed.

    A walk through dialogs, or at 1x1 cells, does little else: it goes on, up to ten times as long, until
    `least` actions lay behind at some time.
    """
    pressed: list[str] = []
    furthest = 0
    while len(pressed) < count or (furthest < least and len(pressed) < 10 * count):
        kind = draw.random()
        if kind < 0.03:
            await pilot.resize_terminal(*draw.choice(SIZES))
        elif kind < 0.04:
            pressed += ["ctrl+p", *draw.choices("fbuzse", k=2), "escape"]
            await press(pilot, *pressed[-4:])
        elif kind < 0.2:
            burst = draw.choices(working + OTHERS, k=draw.randrange(2, 12))
            pressed += burst
            type_ahead(pilot, *burst)
            await drawn(pilot)
        else:
            pressed.append(draw.choice(working if kind < 0.85 else OTHERS))
            await press(pilot, pressed[-1])
        assert pilot.app.is_running, pressed
        furthest = max(furthest, frame(pilot).position)
    assert furthest >= least, pressed
    return pressed


async def calm(pilot: Opened) -> None:
    """Close whatever is open and stop whatever runs."""
    await pilot.resize_terminal(80, 24)
    while pilot.app.screen is not bench(pilot):
        await press(pilot, "escape")
    await press(pilot, "escape")
    await idle(pilot)
    if bench(pilot).cursor is not None:
        await press(pilot, "escape")
    session = bench(pilot)._session
    if session is not None and session.timeline().inside:
        await press(pilot, "right")


def panels(shown: str) -> list[str]:
    """Give all of a screen but notice and keys, without stars and focus: an undo changes numbers, too."""
    return [row.replace("*", " ").replace("━", "─").rstrip() for row in shown.splitlines()[:-2]]


@pytest.mark.parametrize("seed", range(2))
async def test_hundreds_of_random_keys_break_nothing_and_undoing_them_all_gives_the_first_bits(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # one of the keys writes files
    draw = random.Random(seed)
    async with opened() as pilot:
        start, shown = state(frame(pilot)), text(pilot)
        pressed = await press_at_random(pilot, draw, 300, least=6)
        await calm(pilot)
        there = state(frame(pilot))
        done = frame(pilot).position
        type_ahead(pilot, *["left"] * done)
        await until(pilot, lambda: frame(pilot).position == 0)
        assert state(frame(pilot)) == start, pressed
        type_ahead(pilot, *["right"] * done)
        await until(pilot, lambda: frame(pilot).position == done)
        assert state(frame(pilot)) == there, pressed
        type_ahead(pilot, *["left"] * done)
        await until(pilot, lambda: frame(pilot).position == 0)
        assert state(frame(pilot)) == start, pressed
        assert panels(text(pilot)) == panels(shown)
        assert frame(pilot).loop == headless([]).loop


async def test_random_keys_that_also_begin_other_sessions_break_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as pilot:
        pressed = await press_at_random(pilot, random.Random(5), 150, (*WORKING, *BEGINNING * 8))
        await calm(pilot)
        type_ahead(pilot, *["left"] * frame(pilot).position)
        await until(pilot, lambda: frame(pilot).position == 0)
        session = bench(pilot)._session
        assert session is not None
        assert session.origin is not None
        assert state(frame(pilot)) == state(open_session(session.origin).frame), pressed
