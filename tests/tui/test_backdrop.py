"""What is behind a dialog."""

from __future__ import annotations

import pytest
from rich.segment import Segment

from tests.tui.bench import Opened, opened, press, strips, text


def rows_around(pilot: Opened) -> tuple[list[list[Segment]], list[str]]:
    """Give the segments of the rows above and below the dialog's box, and the text of those beside it."""
    box = pilot.app.screen.children[0].region
    rows, texts = strips(pilot), text(pilot).splitlines()
    outside = [[*row] for number, row in enumerate(rows) if not box.y <= number < box.bottom]
    beside = [row.ljust(80)[: box.x] + row.ljust(80)[box.right :] for row in texts[box.y : box.bottom]]
    return outside, beside


async def test_the_bench_behind_a_question_is_dim_and_has_no_colours() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "l")
        outside, beside = rows_around(pilot)
        drawn = [segment for row in outside for segment in row if segment.text.strip()]
        assert "parameters" in "".join(segment.text for segment in drawn)
        for segment in drawn:
            assert segment.style is not None
            assert segment.style.dim
            assert not segment.style.bold
            assert not segment.style.reverse
            assert segment.style.color is None or segment.style.color.is_default
        assert not "".join(beside).strip()


@pytest.mark.parametrize("keys", ["g", "m", "?", "t", "i", "p"])
async def test_nothing_is_left_of_the_bench_beside_a_large_dialog(keys: str) -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", *keys)
        _, beside = rows_around(pilot)
        assert not "".join(beside).strip()


async def test_a_theme_with_colours_of_its_own_keeps_its_background_beside_a_dialog() -> None:
    async with opened() as pilot:
        pilot.app.theme = "nord"
        await press(pilot, "f", "l")
        await pilot.pause()
        assert not {segment.style.bgcolor for row in strips(pilot) for segment in row if segment.style} & {
            None
        }


async def test_the_bench_is_as_it_was_when_the_dialog_is_closed() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b")
        before = strips(pilot)
        await press(pilot, "l", "escape")
        await pilot.pause()
        assert strips(pilot) == before
