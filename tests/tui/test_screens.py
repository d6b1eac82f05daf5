"""The screens as text, to be read: `screens/*.txt` are what the program draws.

After a wanted change: GRADSTEP_UPDATE_SCREENS=1 pytest tests/tui/test_screens.py, then read the diff.
"""

from __future__ import annotations

import difflib
import os
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from gradstep.loop.batches import Batches
from gradstep.opening import open_session
from gradstep.start import Start
from tests.tui.bench import idle, opened, press, text, until

SCREENS: Final = Path(__file__).with_name("screens")

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (160, 50)
ALL = (SMALL, MIDDLE, LARGE)

STATES: Final[dict[str, tuple[str, tuple[tuple[int, int], ...]]]] = {
    "start": ("", ALL),
    "forward": ("f", ALL),
    "first-node": ("fs", ALL),
    "square": ("fsss", ALL),
    "paths-meet": ("fssss", (SMALL,)),
    "broadcast": ("fsssssss", (SMALL, MIDDLE)),
    "first-grad": ("fssssssss", ALL),
    "product": ("fsssssssss", ALL),
    "pass-done": ("fsssssssssss", (SMALL,)),
    "updated": ("fbu", (SMALL, MIDDLE)),
    "zeroed": ("fbuz", (SMALL,)),
    "set-to-none": ("nfbuz", (SMALL,)),
    "ledger-set-to-none": ("nefb g", (SMALL,)),
    "zeroing-off-accumulating": ("Zef" + "s" * 11, ALL),
    "accumulated": ("ffbfb", ALL),
    "refused-backward-twice": ("fbb", ALL),
    "refused-update": ("fu", (SMALL,)),
    "refused-zero": ("z", (SMALL,)),
    "nothing-to-undo": ("left", (SMALL,)),
    "hundred-epochs": ("r enter", ALL),
    "help": ("?", ALL),
    "ask-epochs": ("r", (SMALL,)),
    "ask-epochs-wrong": ("r1.5 enter", (SMALL,)),
    "ask-rate": ("l", (SMALL,)),
    "look": ("fsssssssss enter", (SMALL, LARGE)),
    "ledger-accumulated": ("Zeefb g down right", (SMALL, LARGE)),
    "ledger-zeroed": ("eefb g tab", (SMALL,)),
    "ledger-empty": ("f g", (SMALL,)),
    "loop-cursor": ("fb down", ALL),
    "loop-edited": ("e up up K K #", (SMALL, MIDDLE)),
    "loop-edited-refused": ("down down J e", (SMALL,)),
    "verdict-accumulates": ("Zv", (SMALL,)),
    "verdict-raises": ("down down J v", (SMALL,)),
    "loop-all-commented": ("down # down # down # down #", (SMALL,)),
    "graph-paths-meet": ("fssss a", (SMALL, LARGE)),
    "graph-shared": ("f a s s s s s s s s", (SMALL,)),
    "graph-rnn": ("f s s s s s s s s s a", (SMALL,)),
    "regions-classify": ("e e e i tab", (SMALL,)),
    "regions-shared": ("i tab", (SMALL,)),
    "fit": ("e e e i tab", (SMALL,)),
    "sizes": ("e e Z e e e i tab tab down", (SMALL, MIDDLE)),
    "twin": ("e e Z e e e e e e e c", (SMALL, MIDDLE)),
    "layers-deep": ("e i tab tab", (SMALL,)),
    "predict": ("Zef Y", (SMALL, MIDDLE)),
    "predict-wrong": ("Zef Y x enter", (SMALL,)),
    "predict-node": ("fss Y", (SMALL,)),
    "predicted-slip": ("Zef Y 2.25 enter", (SMALL, MIDDLE, LARGE)),
    "predicted-right": ("fb Y -0.00297 enter", (SMALL,)),
    "predicted-unknown": ("Zef Y 9 enter", (SMALL,)),
    "too-small": ("fs", ((60, 20),)),
}
"""For each screen: the keys that lead to it, and the sizes to draw it at."""

OF: Final = {
    "graph-shared": "shared",
    "graph-rnn": "rnn",
    "regions-classify": "classify",
    "regions-shared": "shared",
    "layers-deep": "deep",
}
"""The problems of those that are not of `crops`."""

SCRIPTS: Final = ("script-by-hand", "script-nested", "script-over", "script-unseen")
"""Screens with a script's own loop, which `test_script_loop_screens.py` draws."""

NAMED: Final = ("enter", "left", "right", "up", "down", "tab")

CASES: Final = [(name, size) for name, (_, sizes) in STATES.items() for size in sizes]


def keys_of(name: str) -> list[str]:
    """Split the keys of a state: names of keys stand by themselves, letters need not."""
    words = STATES[name][0].split()
    return [key for word in words for key in ([word] if word in NAMED else word)]


@pytest.mark.parametrize(("name", "size"), CASES, ids=[f"{name}-{w}x{h}" for name, (w, h) in CASES])
async def test_a_screen_is_drawn_as_it_was_read_and_found_good(name: str, size: tuple[int, int]) -> None:
    async with opened(max(size, SMALL), make=partial(open_session, Start(OF.get(name, "crops")))) as pilot:
        await press(pilot, *keys_of(name))
        await idle(pilot)
        if size < SMALL:
            await pilot.resize_terminal(*size)
        await pilot.pause()
        compare(f"{name}-{size[0]}x{size[1]}", text(pilot))


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x50"])
async def test_parts_of_the_samples_are_drawn_as_a_loop_in_the_loop(size: tuple[int, int]) -> None:
    async with opened(size, make=partial(open_session, Start(batches=Batches("micro", 2)))) as pilot:
        await press(pilot, *"fbfsss")
        compare(f"micro-batches-{size[0]}x{size[1]}", text(pilot))
        await press(pilot, *"bfb", "m")
        await until(pilot, lambda: "another every time" in text(pilot))
        compare(f"batches-{size[0]}x{size[1]}", text(pilot))


@pytest.mark.parametrize(
    "name", ["product", "hundred-epochs", "help", "ask-epochs-wrong", "graph-paths-meet", "regions-classify"]
)
async def test_in_ascii_a_screen_has_the_same_places(name: str) -> None:
    make = partial(open_session, Start(OF.get(name, "crops")))
    async with opened(make=make) as pilot:
        await press(pilot, *keys_of(name))
        await idle(pilot)
        rich = text(pilot)
    async with opened(ascii_only=True, make=make) as plain:
        await press(plain, *keys_of(name))
        await idle(plain)
        drawn = text(plain)
        assert drawn.isascii()
        # In the key bar, an arrow is a word: `v` for the arrow down would be another key.
        for row, other in zip(drawn.splitlines()[:-1], rich.splitlines()[:-1], strict=True):
            assert len(row) == len(other)
            assert all(a == b for a, b in zip(row, other, strict=True) if b.isascii())
        compare(f"{name}-ascii-80x24", drawn)


def test_no_screen_is_left_from_before() -> None:
    split = [(name, size) for name in ("micro-batches", "batches") for size in (SMALL, LARGE)]
    scripts = [(name, size) for name in SCRIPTS for size in (SMALL, MIDDLE)]
    wanted = {f"{name}-{w}x{h}.txt" for name, (w, h) in (*CASES, *split, *scripts)}
    assert {path.name for path in SCREENS.glob("*.txt") if "ascii" not in path.name} == wanted


def compare(name: str, drawn: str) -> None:
    """Compare a screen with its file, or write the file."""
    path, rows = SCREENS / f"{name}.txt", f"{drawn}\n".splitlines()
    if os.environ.get("GRADSTEP_UPDATE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        path.write_text(f"{drawn}\n", encoding="utf-8")
    kept = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    changes = [*difflib.unified_diff(kept, rows, f"screens/{path.name}", "drawn now", lineterm="")]
    assert not changes, "\n".join(["the screen has changed; see the top of this file", *changes])
