"""Parts of the samples on the screens, with real keys and a real session."""

from __future__ import annotations

from functools import partial

from gradstep.loop.batches import FULL, Batches
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.screens.dialogs.batch_check import BatchesScreen
from tests.tui.bench import Opened, bench, frame, idle, opened, press, text, until


async def measured(pilot: Opened) -> str:
    """Open the view, and give what it shows once everything is measured."""
    await press(pilot, "m")
    await until(pilot, lambda: "another gradient every time" in text(pilot))
    return text(pilot)


async def test_m_measures_the_ways_and_enter_splits_the_samples() -> None:
    async with opened((120, 40)) as pilot:
        shown = await measured(pilot)
        assert "5 samples in 3 parts: 2 + 2 + 1" in shown
        assert "| * full batch" in shown
        assert "micro, loss / 3                 differs by 4.4%" in shown
        await press(pilot, "down", "down")
        assert "though the last one is smaller" in text(pilot)
        await press(pilot, "up", "enter")
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


async def test_the_way_that_the_session_goes_is_marked_and_the_full_batch_comes_back() -> None:
    async with opened(make=partial(open_session, Start(batches=Batches("mini", 2)))) as pilot:
        assert "| * mini-batches " in await measured(pilot)
        await press(pilot, "down", "down", "enter")
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
