"""The command palette survives whatever arrives before it is on screen, and after it was closed."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.geometry import Size

from tests.tui.bench import Opened, bench, drawn, opened, press, type_ahead, until

MOVING: Final = ("up", "down", "pageup", "pagedown", "home", "end", "ctrl+end", "ctrl+home", "shift+end")
EDITING: Final = ("enter", "escape", "tab", "shift+tab", "backspace", "delete", "x", "ctrl+a")
KEYS: Final = (*MOVING, *EDITING, "ctrl+p", "f1")
"""Every key that the palette, its list or its field knows, and some that they do not."""


def send(pilot: Opened, what: str) -> None:
    """Have a key, a paste, a click or a new size wait in the app's queue."""
    if what == "paste":
        pilot.app.post_message(events.Paste("step\nall \x00 of it"))
    elif what == "resize":
        size = Size(60, 20)
        pilot.app.post_message(events.Resize(size, size))
    elif what == "click":
        for kind in (events.MouseDown, events.MouseUp):
            pilot.app.post_message(kind(None, 1, 20, 0, 0, 1, False, False, False))
    else:
        type_ahead(pilot, what)


async def closed(pilot: Opened) -> None:
    """Close what is open, and see that the bench is there again."""
    await drawn(pilot)
    while pilot.app.screen is not bench(pilot):
        await press(pilot, "escape")


async def is_alive(pilot: Opened) -> None:
    """See that the palette still opens and closes."""
    await closed(pilot)
    type_ahead(pilot, "ctrl+p")
    await until(pilot, lambda: pilot.app.screen.id == "--command-palette")
    await closed(pilot)


EVERYTHING: Final = (*KEYS, "paste", "resize", "click")


async def test_anything_may_arrive_right_after_the_palette_was_opened() -> None:
    async with opened() as pilot:
        for what in EVERYTHING:
            for sent in ("ctrl+p", what, what, "enter"):
                send(pilot, sent)
            await closed(pilot)
        await is_alive(pilot)


async def test_the_palette_opens_once_also_if_a_question_lies_over_it() -> None:
    """The key of the question was on its way when the palette opened."""
    async with opened() as pilot:
        pilot.app.action_command_palette()
        bench(pilot).action_press("run")
        await drawn(pilot)
        pilot.app.action_command_palette()
        await drawn(pilot)
        assert [screen.id for screen in pilot.app.screen_stack].count("--command-palette") == 1
        await is_alive(pilot)


async def test_a_question_under_the_palette_closes_nothing() -> None:
    """Its Enter was on its way, twice, when the palette opened over it."""
    async with opened() as pilot:
        await press(pilot, "r")
        question = pilot.app.screen
        pilot.app.action_command_palette()
        await drawn(pilot)
        stack = [*pilot.app.screen_stack]
        question.dismiss(5)
        question.dismiss(5)
        await drawn(pilot)
        assert [*pilot.app.screen_stack] == stack
        assert bench(pilot).frame.epoch == 0
        await is_alive(pilot)


async def test_anything_may_arrive_right_after_the_palette_was_closed() -> None:
    async with opened() as pilot:
        for what in EVERYTHING:
            for sent in ("ctrl+p", "escape", what, "ctrl+p", "x", what, "escape", "escape", what):
                send(pilot, sent)
            await closed(pilot)
        await is_alive(pilot)


async def test_one_choice_is_carried_out_once_however_often_enter_arrives() -> None:
    async with opened() as pilot:
        type_ahead(pilot, "ctrl+p")
        await until(pilot, lambda: bool(pilot.app.screen.query("CommandList.--visible")))
        await press(pilot, "down")
        type_ahead(pilot, *["enter"] * 4)
        await drawn(pilot)
        await is_alive(pilot)


async def test_timers_of_a_closed_palette_end_nothing() -> None:
    async with opened() as pilot:
        for searched in ("nothing like it", ""):
            type_ahead(pilot, "ctrl+p")
            await until(pilot, lambda: bool(pilot.app.screen.query("CommandList.--visible")))
            palette = pilot.app.screen
            type_ahead(pilot, *searched, "escape")
            await until(pilot, lambda: pilot.app.screen is bench(pilot))
            await until(pilot, lambda palette=palette: not palette.children)
            for visible in (True, False, True):
                setattr(palette, "_list_visible", visible)  # noqa: B010 - Textual's own, private here
            await is_alive(pilot)
