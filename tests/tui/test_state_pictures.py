"""Pictures of the states that a learner meets, at three sizes, light and dark: the manual shows them.

After a wanted change: GRADSTEP_UPDATE_PICTURES=1 pytest tests/tui/test_state_pictures.py, then look at them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from gradstep_tui.manual.pages import page
from tests.tui.animated_svg import Film, Shot
from tests.tui.bench import idle, opened, press, strips

PICTURES: Final = Path(__file__).with_name("pictures")
SIZES: Final = ((80, 24), (120, 40), (160, 50))
THEMES: Final = {"dark": "textual-dark", "light": "textual-light"}

STATES: Final[dict[str, tuple[str, ...]]] = {
    "start": (),
    "forward": ("f",),
    "square": ("s", "s", "s"),
    "product": ("s",) * 6,
    "updated": ("b", "u"),
    "run": ("z", "r", "enter"),
    "surface": ("i",),
    "timeline": ("escape", "t"),
    "accumulated": ("escape", "Z", "e", "f", *("s",) * 11),
    "diverged": ("u", "Z", "l", *"0.001", "enter", *("e",) * 8),
}
"""For each state, the keys that lead to it from the one before."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_pictures_of_each_state_are_what_the_program_draws(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    changed = []
    async with opened(size) as pilot:
        for state, keys in STATES.items():
            await press(pilot, *keys)
            await idle(pilot)
            for shade, theme in THEMES.items():
                pilot.app.theme = theme
                await pilot.pause()
                drawn = Film([Shot(strips(pilot), 1.0, "", "")], still=0, title=f"gradstep: {state}").svg()
                picture = PICTURES / f"{state}-{size[0]}x{size[1]}-{shade}.svg"
                if os.environ.get("GRADSTEP_UPDATE_PICTURES"):
                    picture.write_text(drawn, encoding="utf-8")
                if not picture.exists() or drawn != picture.read_text(encoding="utf-8"):
                    changed.append(picture.name)
    assert not changed, "GRADSTEP_UPDATE_PICTURES=1 draws them anew"


def test_the_manual_shows_every_picture_and_no_picture_is_left_over() -> None:
    names = {
        f"{state}-{wide}x{high}-{shade}.svg" for state in STATES for wide, high in SIZES for shade in THEMES
    }
    assert {picture.name for picture in PICTURES.iterdir()} == names
    text = page("screens")
    assert all(f"tests/tui/pictures/{name})" in text for name in names)
