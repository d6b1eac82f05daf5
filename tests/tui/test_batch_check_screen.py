"""Parts of the samples on the screens, with real keys and a real session."""

from __future__ import annotations

from functools import partial

import pytest
from textual.widgets import Input, Label

from gradstep.loop.batches import FULL, Batches
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.screens.dialogs.choosers.batches import BatchesScreen
from gradstep_tui.text.choices.ways import WAYS
from tests.tui.bench import Opened, bench, frame, idle, opened, press, text, until


async def measured(pilot: Opened) -> str:
    """Open the list, and give what it shows once everything is measured."""
    await press(pilot, "m")
    await until(pilot, lambda: "another every time" in text(pilot))
    return text(pilot)


async def typed(pilot: Opened, words: str) -> None:
    """Open the list, and type something once the field has the focus."""
    await press(pilot, "m")
    await until(pilot, lambda: isinstance(pilot.app.screen.focused, Input))
    await press(pilot, *words)


async def test_m_lists_the_ways_with_what_each_does_and_enter_splits_the_samples() -> None:
    async with opened((120, 40)) as pilot:
        shown = await measured(pilot)
        assert "5 samples in 3 parts: 2 + 2 + 1" in shown
        assert ">* full batch" in shown
        for way in WAYS:
            assert f"{way.name} " in shown
            assert way.words in shown
        assert "each part counts alike; one update   differs by 4.4%" in shown
        await press(pilot, "down", "down")
        assert "though the last one is smaller" in text(pilot)
        await press(pilot, "up")
        assert "micro(2)   loss = loss * (len(i) / 5)   equal" in text(pilot)
        await press(pilot, "enter")
        await idle(pilot)
        assert frame(pilot).loop.batches == Batches("micro", 2)
        shown = text(pilot)
        assert "loop: micro, part 1 of 3" in shown
        assert "for i in order.split(2):" in shown
        assert "loss = loss * (len(i) / 5)" in shown
        assert "b.grad.zero_()" in shown
        await press(pilot, "space", "space", "space")
        assert "next: backward 2/3" in text(pilot)
        assert "part 2 of 3" in text(pilot)


async def test_the_size_of_the_parts_goes_from_one_sample_to_all() -> None:
    async with opened() as pilot:
        await measured(pilot)
        await press(pilot, "plus", "plus", "plus", "plus")
        await until(pilot, lambda: "5 samples in 1 part: 5" in text(pilot))
        for size in (4, 3, 2, 1):
            await press(pilot, "minus")
            await until(pilot, lambda size=size: f"parts: {size}" in text(pilot))
        await press(pilot, "minus", "escape")
        await idle(pilot)
        assert frame(pilot).loop.batches == FULL


async def test_a_size_is_typed_for_the_chosen_way_and_a_way_is_typed_in_full() -> None:
    async with opened() as pilot:
        await typed(pilot, "3")
        assert "5 samples in 2 parts: 3 + 2" in text(pilot)
        assert ">  micro by share" in text(pilot)
        await press(pilot, "enter")
        await idle(pilot)
        assert frame(pilot).loop.batches == Batches("micro", 3)
        await typed(pilot, "mini(2, shuffle=True, seed=3)")
        assert ">  mini shuffled" in text(pilot)
        await press(pilot, "enter")
        await idle(pilot)
        assert frame(pilot).loop.batches == Batches("mini", 2, shuffle=True, seed=3)
        await typed(pilot, "4")
        assert "mini(4, shuffle=True, seed=3)" in text(pilot)  # the seed stays
        await press(pilot, "enter")
        await idle(pilot)
        assert frame(pilot).loop.batches == Batches("mini", 4, shuffle=True, seed=3)


@pytest.mark.parametrize(
    ("words", "said"),
    [("9", "parts of 9 are too large: there are 5 samples"), ("maxi(2)", "mini"), ("micro", "micro(2)")],
)
async def test_what_is_typed_wrong_is_answered_in_place(words: str, said: str) -> None:
    async with opened() as pilot:
        await typed(pilot, words)
        await press(pilot, "enter")
        screen = pilot.app.screen
        assert isinstance(screen, BatchesScreen)
        assert said in str(screen.query_one("#wrong", Label).render())
        await press(pilot, "escape")
        await idle(pilot)
        assert frame(pilot).loop.batches == FULL


async def test_the_mistake_is_shown_and_not_made() -> None:
    async with opened() as pilot:
        await measured(pilot)
        await press(pilot, *["down"] * 9)
        assert ">  micro, zeroed" in text(pilot)
        assert "leaves the update the last part's share" in " ".join(text(pilot).split())
        await press(pilot, "enter")
        assert "The last row is there to compare" in text(pilot)
        await press(pilot, "escape")
        await idle(pilot)
        assert frame(pilot).position == 0


async def test_a_click_chooses_a_way_and_a_double_click_takes_it() -> None:
    async with opened() as pilot:
        await measured(pilot)
        for times in (1, 2):
            rows = text(pilot).splitlines()
            y = next(number for number, row in enumerate(rows) if "mini in order" in row)
            await pilot.click(None, offset=(8, y), times=times)
            await press(pilot)
        await idle(pilot)
        assert frame(pilot).loop.batches == Batches("mini", 2)


async def test_the_way_that_the_session_goes_is_marked_and_the_full_batch_comes_back() -> None:
    async with opened(make=partial(open_session, Start(batches=Batches("mini", 2)))) as pilot:
        assert ">* mini in order " in await measured(pilot)
        await press(pilot, *["up"] * 5, "enter")
        await idle(pilot)
        assert frame(pilot).loop.batches == FULL
        assert "preds = model(inputs)" in text(pilot)


async def test_inside_a_pass_it_says_why_not() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "m")
        assert not isinstance(pilot.app.screen, BatchesScreen)
        assert "a backward pass is under way" in bench(pilot).notice.text


async def test_zeroing_moves_into_the_inner_loop_by_keys() -> None:
    async with opened(make=partial(open_session, Start(batches=Batches("micro", 2)))) as pilot:
        await press(pilot, "up", "up", "K", "K")
        assert frame(pilot).loop.is_inner(Kind.ZERO)
        await press(pilot, "escape", "up", "K")
        assert "stays inside the inner loop" in bench(pilot).notice.text
