"""Values that a learner types: what cannot be used is said in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Label

from gradstep_tui.screens.dialogs.ask import AskScreen
from tests.tui.bench import Opened, bench, frame, idle, opened, press, state, text, until

BAD_COUNTS = ["0", "-5", "1.5", "1e3", "abc", "1000001", "nan", "99999999999999999999", "5 5", "0x10", "٣"]
BAD_RATES = ["0", "-1e-5", "nan", "inf", "abc", "1e999", "1e-999", "1,5", "0x1", "1e-5 5"]


async def typed(pilot: Opened, key: str, value: str) -> AskScreen[object]:
    """Open a question, put `value` into its field as a paste does, and press Enter."""
    await press(pilot, key)
    asking = pilot.app.screen
    assert isinstance(asking, AskScreen)
    await until(pilot, lambda: isinstance(asking.focused, Input))
    asking.query_one(Input).insert_text_at_cursor(value)
    await press(pilot, "enter")
    return asking


@pytest.mark.parametrize(("key", "bad"), [("r", BAD_COUNTS), ("l", BAD_RATES)])
async def test_a_bad_value_is_answered_in_place_by_one_sentence_and_changes_nothing(
    key: str, bad: list[str]
) -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s")
        await press(pilot, "b")
        before = state(frame(pilot))
        for value in bad:
            asking = await typed(pilot, key, value)
            assert pilot.app.screen is asking, value
            assert asking.query_one(Input).value == value
            said = str(asking.query_one("#wrong", Label).render())
            assert said.startswith(repr(value)), said
            assert "use a" in said
            assert said[:50] in text(pilot)
            assert state(frame(pilot)) == before
            await press(pilot, "escape")
        assert state(frame(pilot)) == before


async def test_a_value_far_too_long_keeps_the_question_readable() -> None:
    async with opened() as pilot:
        asking = await typed(pilot, "r", "9" * 5000)
        assert pilot.app.screen is asking
        assert "whole number" in text(pilot)
        assert "Esc: cancel" in text(pilot)
        assert frame(pilot).epoch == 0


async def test_after_a_bad_value_a_corrected_one_is_taken() -> None:
    async with opened() as pilot:
        await typed(pilot, "r", "1x")
        await press(pilot, "backspace", "2", "enter")
        await until(pilot, lambda: frame(pilot).epoch == 12)
        await idle(pilot)


@pytest.mark.parametrize(
    ("value", "epochs"), [(" 12 ", 12), ("1,000", 1000), ("1_000", 1000), ("", 100), (" ", 100)]
)
async def test_a_number_may_be_written_as_people_do(value: str, epochs: int) -> None:
    async with opened() as pilot:
        await typed(pilot, "r", value)
        await until(pilot, lambda: frame(pilot).epoch == epochs)


async def test_an_empty_field_keeps_the_learning_rate_exactly() -> None:
    async with opened(rate=0.1 + 0.2) as pilot:
        await typed(pilot, "l", "")
        assert pilot.app.screen is bench(pilot)
        assert frame(pilot).learning_rate == 0.1 + 0.2


async def test_what_was_wrong_with_a_text_is_said_until_it_changes() -> None:
    async with opened() as pilot:
        await typed(pilot, "r", "1x")
        assert "use a whole number" in text(pilot)
        await press(pilot, "backspace")
        assert "use a whole number" not in text(pilot)


async def test_an_export_says_where_it_goes_and_keeps_a_path_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as pilot:
        asking = await typed(pilot, "x", "none/mine")
        asked = "".join(text(pilot).replace("│", " ").split())
        assert f"Theyarewritteninto{tmp_path},unlessthenamebeginswithafolder." in asked
        assert f"Thereisnofolder{tmp_path / 'none'}." in asked
        assert asking.query_one(Input).value == "none/mine"
        (tmp_path / "none").mkdir()
        await press(pilot, "enter")
        await until(pilot, lambda: (tmp_path / "none/mine.py").is_file())
        await idle(pilot)
