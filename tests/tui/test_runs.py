"""Runs of many epochs in the real app."""

from __future__ import annotations

import math
import time
from threading import Event

from gradstep.actions import RunEpochs, ToggleZeroing
from gradstep_tui.screens.base.working_screen import AT_ONCE, SHOWN_AFTER
from tests.tui.bench import bench, comes, frame, headless, idle, opened, press, state, text, until


async def test_escape_stops_a_run_of_a_million_epochs_and_leaves_what_that_many_epochs_give() -> None:
    async with opened() as pilot:
        start = state(frame(pilot))
        await press(pilot, "r", *"1000000", "enter")
        await until(pilot, lambda: "of 1,000,000 epochs" in text(pilot))
        pressed = time.monotonic()
        await press(pilot, "escape")
        await idle(pilot)
        assert time.monotonic() - pressed < 1.0  # the benchmark has the real bound
        done = frame(pilot).epoch
        assert 0 < done < 1_000_000
        assert f"stopped after {done:,} of 1,000,000 epochs" in text(pilot)
        assert len(frame(pilot).losses) == done
        assert state(frame(pilot)) == state(headless([RunEpochs(done)]))
        await press(pilot, "left")
        assert state(frame(pilot)) == start


async def test_while_epochs_run_the_screen_lives_and_other_keys_say_what_is_going_on() -> None:
    async with opened() as pilot:
        await press(pilot, "r", *"1000000", "enter")
        await until(pilot, lambda: "of 1,000,000 epochs" in text(pilot))
        for key in ("space", "s", "f", "Z", "left", "0", "]", "e"):
            await press(pilot, key)
            assert frame(pilot).epoch == 0
        await press(pilot, "?", *"asks for n")
        await until(pilot, lambda: "Run N epochs; asks for N" in text(pilot))
        await press(pilot, "escape", "escape")  # the filter is emptied, and then the list is closed
        assert pilot.app.screen is bench(pilot)
        await pilot.resize_terminal(120, 40)
        await pilot.resize_terminal(70, 20)
        await pilot.resize_terminal(80, 24)
        assert bench(pilot).running
        await press(pilot, "escape")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(frame(pilot).epoch)]))


async def test_leaving_stops_a_run() -> None:
    async with opened() as pilot:
        await press(pilot, "r", *"1000000", "enter")
        await until(pilot, lambda: "of 1,000,000 epochs" in text(pilot))
        await press(pilot, "q")
        await until(pilot, lambda: not pilot.app.is_running)


async def test_progress_shows_done_rate_time_left_and_a_growing_curve() -> None:
    async with opened((120, 40)) as pilot:
        await press(pilot, "r", *"1000000", "enter")
        await until(pilot, lambda: "of 1,000,000 epochs" in text(pilot))
        shown = text(pilot)
        assert "/s" in shown
        assert " left" in shown
        assert "Esc stops" in shown
        assert any("⠀" < char <= "⣿" for char in shown)  # the line of the chart is made of dots
        await press(pilot, "escape")
        await idle(pilot)


async def test_a_run_that_diverges_says_at_which_epoch_and_why() -> None:
    async with opened(rate=1e-3) as pilot:
        await press(pilot, "r", "enter")
        await until(pilot, lambda: "became inf" in text(pilot))
        losses = frame(pilot).losses
        first = next(epoch for epoch in range(len(losses)) if not math.isfinite(losses[epoch])) + 1
        assert first == len(losses) < 100
        shown = " ".join(text(pilot).split())
        assert "warning: lower the learning rate ([) or go back (←): steps overshoot, and the loss" in shown
        assert f"the loss became inf in epoch {first}" in shown
        await press(pilot, "left")
        assert state(frame(pilot)) == state(headless([], rate=1e-3))


async def test_without_zeroing_the_reason_is_the_gradients_that_pile_up() -> None:
    async with opened(rate=1e-3) as pilot:
        await press(pilot, "Z", "r", *"1000", "enter")
        await until(pilot, lambda: "became inf" in text(pilot))
        assert "warning: zero the gradients (Z), lower the learning rate ([) or go back" in text(pilot)
        assert state(frame(pilot)) == state(headless([ToggleZeroing(), RunEpochs(1000)], rate=1e-3))


async def test_work_that_is_not_done_at_once_says_so_within_a_tenth_of_a_second() -> None:
    assert AT_ONCE + SHOWN_AFTER <= 0.1 + 1e-9
    go_on = Event()
    async with opened() as pilot:
        bench(pilot).work(lambda _: go_on.wait(), title="a slow one", holds_keys=True, at_once=AT_ONCE)
        await comes(pilot, lambda: "running: a slow one" in text(pilot))
        go_on.set()
        await idle(pilot)
        assert "running" not in text(pilot)
