"""Every theme of the palette is readable: text stands out from what is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from rich.color import ColorTriplet, ColorType
from rich.segment import Segment
from textual.theme import BUILTIN_THEMES

from tests.tui.bench import Opened, opened, press, strips

LEAST = 3.0
"""Contrast that WCAG 2.2 asks for what must be recognised (1.4.11) and for large text (1.4.3)."""

NO_TEXT = " ─│╭╮╰╯█▇▆▅▄▃▂▁"

BENCH = (["f", *"sss", *["s"] * 8], ["u", "Z", "b"])
"""A pass under way with a gradient that has arrived, an update with zeroing off and PyTorch's refusal."""

DIALOGS = (["f", "s", "s", "?"], ["escape", "l", "x", "enter"], ["escape", "enter"])
"""Help, a question that was answered wrong, the step in full."""


@pytest.mark.parametrize("part", [BENCH, DIALOGS], ids=["bench", "dialogs"])
async def test_all_text_stands_out_from_its_background_in_every_theme(
    part: tuple[list[str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")  # with the heat behind numbers
    async with opened() as pilot:
        for keys in part:
            await press(pilot, *keys)
            for theme in [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi]:
                pilot.app.theme = theme
                await pilot.pause()
                found = {
                    segment.text: contrast(segment.style.color.triplet, segment.style.bgcolor.triplet)
                    for segment in texts(pilot)
                }
                assert {text: ratio for text, ratio in found.items() if ratio < LEAST} == {}, theme


@pytest.mark.parametrize("theme", [name for name, theme in BUILTIN_THEMES.items() if theme.ansi])
async def test_the_terminals_own_colours_are_used_as_they_are(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setenv("TERM", "xterm")  # 16 colours: no heat behind numbers
    async with opened() as pilot:
        pilot.app.theme = theme
        for keys in BENCH:
            await press(pilot, *keys)
            for segment in texts(pilot):
                assert segment.style.color.type in (ColorType.DEFAULT, ColorType.STANDARD)
                assert segment.style.bgcolor.type is ColorType.DEFAULT


def texts(pilot: Opened) -> Iterator[Segment]:
    """Give the pieces of text that are drawn; those of a dialog only, where one is open."""
    rows = strips(pilot)
    if len(pilot.app.screen_stack) > 1:
        box = pilot.app.screen.children[0].region
        rows = [row.crop(box.x, box.right) for row in rows[box.y : box.bottom]]
    for row in rows:
        yield from (segment for segment in row if segment.text.strip(NO_TEXT))


def contrast(one: Sequence[int] | None, other: Sequence[int] | None) -> float:
    """Give the contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    assert one is not None
    assert other is not None
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Sequence[int]) -> float:
    """Give the relative luminance of an sRGB colour, from 0 to 1, as WCAG 2.2 defines it."""
    parts = (value / 255 for value in colour)
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_that_of_the_standard() -> None:
    black, white, grey = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255), ColorTriplet(119, 119, 119)
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, grey) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "textual-dark", "textual-light"])
async def test_signs_have_two_hues_where_there_are_colours_enough(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for colours, shown in (("truecolor", True), ("", False)):
        monkeypatch.setenv("COLORTERM", colours)
        monkeypatch.setenv("TERM", "xterm")
        async with opened() as pilot:
            pilot.app.theme = theme
            await pilot.pause()
            style = {segment.text.strip(): segment.style for row in strips(pilot) for segment in row}
            hot, cold = (
                next(
                    (of.bgcolor.triplet for text, of in style.items() if text == number and of.bgcolor), None
                )
                for number in ("1.2554", "-1.8666")
            )
            assert (hot is not None and cold is not None and hot != cold) is shown or theme.startswith("t")
            if shown:
                assert hot is not None
                assert cold is not None
                assert hot.red > hot.blue
                assert cold.blue > cold.red
