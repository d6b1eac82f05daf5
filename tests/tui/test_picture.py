"""The README's picture is a picture of the program."""

from __future__ import annotations

import os
from pathlib import Path

from tests.tui.bench import opened

PICTURE = Path(__file__).with_name("bench.svg")
KEYS = ("Z", "e", "f", *"sssssssss")


async def test_the_picture_in_the_readme_is_what_the_program_draws() -> None:
    async with opened((120, 40)) as pilot:
        await pilot.press(*KEYS)
        await pilot.pause()
        drawn = pilot.app.export_screenshot(title="gradstep")
    if os.environ.get("GRADSTEP_UPDATE_PICTURE"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8"), "GRADSTEP_UPDATE_PICTURE=1 draws it anew"


def test_the_readme_shows_the_picture() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    assert "tests/tui/bench.svg" in readme.read_text(encoding="utf-8")
