"""The list of colour themes: each is shown while one chooses, and only Enter keeps it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.app import GradstepApp
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.choosers.themes import ThemesScreen
from gradstep_tui.session.preferences import Preferences
from gradstep_tui.text.choices.themes import THEMES, theme_order, theme_words
from tests.tui.bench import Opened, bench, opened, press, text, type_ahead, until

KEY = SIGNS["theme"].lower()


def background(pilot: Opened) -> str:
    return bench(pilot).styles.background.hex


async def test_each_theme_is_shown_while_one_goes_through_the_list_and_escape_changes_nothing() -> None:
    async with opened() as pilot:
        before = pilot.app.theme, background(pilot)
        await press(pilot, KEY)
        assert ">* ansi-dark " in text(pilot)
        for place, name in list(enumerate(theme_order(BUILTIN_THEMES)))[1:4]:
            await press(pilot, "down")
            assert pilot.app.theme == name == [*THEMES][place]
            assert f">  {name} " in text(pilot)
        assert background(pilot) != before[1]  # of the bench beside the list
        await press(pilot, "end")
        assert "light" in theme_words(pilot.app.current_theme)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)
        assert (pilot.app.theme, background(pilot)) == before


async def test_enter_keeps_the_theme_for_the_next_starts_and_only_enter_does(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    make = partial(open_session, Start())
    app = GradstepApp(make, preferences=Preferences(path))
    async with app.run_test() as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        await press(pilot, KEY, "down", "down", KEY)
        assert Preferences(path).theme == ""
        await press(pilot, KEY, "pagedown", "down", "enter")
        kept = app.theme
        assert kept == [*THEMES][11]
    assert Preferences(path).theme == kept
    assert GradstepApp(make, preferences=Preferences(path)).theme == kept


async def test_a_click_shows_a_theme_a_double_click_keeps_it_and_one_beside_the_list_does_not() -> None:
    async with opened() as pilot:

        async def click(words: str, times: int) -> None:
            rows = text(pilot).splitlines()
            y = next(number for number, row in enumerate(rows) if words in row)
            await pilot.click(None, offset=(rows[y].index(words), y), times=times)
            await press(pilot)

        await press(pilot, KEY)
        await click("nord ", 1)
        assert pilot.app.theme == "nord"
        assert isinstance(pilot.app.screen, ThemesScreen)
        await click("crops ", 1)  # beside the list
        assert (pilot.app.theme, pilot.app.screen) == ("ansi-dark", bench(pilot))
        await press(pilot, KEY)
        await click("nord ", 1)
        await click("nord ", 2)
        assert (pilot.app.theme, pilot.app.screen) == ("nord", bench(pilot))


async def test_the_palette_has_the_list_once() -> None:
    async with opened() as pilot:
        names = [command.title for command in pilot.app.get_system_commands(bench(pilot))]
        assert [name for name in names if "theme" in name.lower()] == [f"theme ({SIGNS['theme']})"]
        await press(pilot, "?")
        names = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert "Theme" in names
        await press(pilot, "escape")
        type_ahead(pilot, "ctrl+p")
        await until(pilot, lambda: bool(pilot.app.screen.query("CommandList.--visible")))
        type_ahead(pilot, *"theme (")
        await until(pilot, lambda: f"theme ({SIGNS['theme']})" in text(pilot))
        await until(pilot, lambda: "each shown at once" in text(pilot))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ThemesScreen))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"NO_COLOR": "1"}, "Colours are off, as NO_COLOR asks"),
        ({"TERM": "xterm", "COLORTERM": ""}, "This terminal has 16 colours"),
        ({"COLORTERM": "truecolor"}, ""),
    ],
)
async def test_what_keeps_a_theme_from_being_shown_is_said(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with opened() as pilot:
        await press(pilot, KEY)
        shown = text(pilot)
        assert words in shown
        assert words or not ("Colours are off" in shown or "16 colours" in shown)
        await press(pilot, "end")  # it works all the same
        assert ">  solarized-light" in text(pilot)


def test_every_theme_has_words_that_say_whether_it_is_dark() -> None:
    assert THEMES.keys() == BUILTIN_THEMES.keys()
    for name, theme in BUILTIN_THEMES.items():
        words = theme_words(theme)
        assert len(words) <= 30
        assert words.startswith("the terminal's own") is theme.ansi
        assert theme.ansi or words.startswith("dark" if theme.dark else "light"), name
