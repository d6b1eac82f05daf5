"""The walks in the README and in the manual, pressed on the real bench, key by key, as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from gradstep.frame import Frame
from gradstep_tui.manual.pages import page
from tests.tui.bench import bench, frame, idle, opened, press, text, until

README: Final = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
KEY: Final = re.compile(
    r"(?:(?:Press|and|then|type|;) |\*\*|\()`(?P<key>[A-Za-z←→]|[\d.]+)`(?: (?P<times>twice|three times))?"
    r"|(?<!`)\b(?P<word>Esc|Enter)\b"
)
NAMES: Final = {"←": "left", "→": "right", "Esc": "escape", "Enter": "enter"}
TIMES: Final = {None: 1, "twice": 2, "three times": 3}


def items(walk: str) -> list[str]:
    """Return the numbered items of a text, each on one line."""
    found = re.findall(r"^\d+\. .*\n(?:   .*\n)*", walk, flags=re.MULTILINE)
    return [" ".join(item.split()) for item in found]


def keys(item: str) -> Iterator[str]:
    """Yield the keys that an item of a walk says to press, in order, by Textual's names."""
    for match in KEY.finditer(item):
        name = match["key"] or match["word"]
        for _ in range(TIMES[match["times"]]):
            yield from [NAMES[name]] if name in NAMES else name


@pytest.mark.parametrize(
    ("walk", "undone"),
    [
        (README.partition("## A first walk")[2].partition("\n## ")[0], lambda now: now.position == 0),
        (page("first-steps"), lambda now: now.learning_rate == 1e-5),
    ],
    ids=["README", "first-steps"],
)
async def test_each_key_of_a_walk_changes_the_screen_and_each_number_comes_to_be_seen(
    walk: str, undone: Callable[[Frame], bool]
) -> None:
    seen, count = "", 0

    async def pressed(key: str) -> None:
        nonlocal seen, count
        before = text(pilot)
        await press(pilot, key)
        await until(pilot, lambda: text(pilot) != before)
        await idle(pilot)
        await until(pilot, lambda: key != "c" or pilot.app.screen is not bench(pilot))
        seen, count = seen + text(pilot), count + 1

    async with opened((112, 36)) as pilot:
        for item in items(walk):
            for key in keys(item):
                await pressed(key)
                while key == "left" and not undone(frame(pilot)):
                    await pressed(key)
            last = max(map(int, re.findall(r"[Ss]tep (\d+)", item)), default=0)
            while (backward := frame(pilot).backward) is not None and backward.done < last:
                await pressed("s")
        assert undone(frame(pilot))
        assert pilot.app.screen is bench(pilot)
    assert count > 30
    numbers = set(re.findall(r"\d+\.\d{4}", " ".join(items(walk))))
    assert len(numbers) > 8
    assert not {number for number in numbers if number not in seen}
