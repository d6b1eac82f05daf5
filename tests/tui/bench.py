"""The real app, opened in Textual's pilot with a real session."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from rich.console import Console
from textual import events
from textual.pilot import Pilot
from textual.strip import Strip

from gradstep import problems
from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.app import GradstepApp
from gradstep_tui.keymap import Keymap
from gradstep_tui.screens.base.working_screen import WorkingScreen
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.session.autosave import Autosave
from tests.engine.recording_checks import bits

Opened: TypeAlias = Pilot[None]

_NAMES = {"?": "question_mark", "[": "left_square_bracket", "]": "right_square_bracket", "S": "upper_s"}
_NAMES |= {
    "Z": "upper_z",
    "=": "equals_sign",
    "K": "upper_k",
    "J": "upper_j",
    "#": "number_sign",
    "-": "minus",
    ".": "full_stop",
    ",": "comma",
    "(": "left_parenthesis",
}
_NAMES |= {" ": "space", "_": "underscore", ";": "semicolon"}

PATIENCE = 60.0
"""Seconds after which a wait fails; far more than anything takes on a busy machine."""


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24),
    *,
    rate: float | None = None,
    ascii_only: bool = False,
    keymap: Keymap | None = None,
    make: Callable[[], Session] | None = None,
    autosave: Autosave | None = None,
) -> AsyncIterator[Opened]:
    """Open the bench on `crops`, or on what `make` makes, and wait until its session is there."""
    make = make or partial(open_session, Start(rate=rate))
    async with starting(size, make=make, autosave=autosave, ascii_only=ascii_only, keymap=keymap) as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        yield pilot


@asynccontextmanager
async def starting(
    size: tuple[int, int] = (80, 24),
    *,
    make: Callable[[], Session],
    autosave: Autosave | None = None,
    ascii_only: bool = False,
    runs: str = "",
    keymap: Keymap | None = None,
) -> AsyncIterator[Opened]:
    """Open the bench without waiting for its session."""
    app = GradstepApp(make, autosave=autosave, ascii_only=ascii_only, runs=runs)
    app.choose_keys(keymap or Keymap())
    try:
        async with app.run_test(size=size) as pilot:
            yield pilot
    finally:
        Keymap().use()  # what ASCII or other keys were shown for one app is not shown for the next test


def type_ahead(pilot: Opened, *keys: str) -> None:
    """Press keys faster than the app can follow: all are in its queue before it does the first."""
    for key in keys:
        name = _NAMES.get(key, key)
        pilot.app.post_message(events.Key(name, key if len(key) == 1 else None))


async def press(pilot: Opened, *keys: str) -> None:
    """Press keys one by one, as fast as the app can follow; quicker than `Pilot.press`."""
    for key in keys:
        type_ahead(pilot, key)
        await pilot.pause(0)
    await drawn(pilot)


async def drawn(pilot: Opened) -> None:
    """Wait until what has happened is on screen, also while a thread is busy."""
    end = time.monotonic() + PATIENCE
    while True:
        for _ in range(3):  # a key, the message that it sends, and what that one changes
            await pilot.pause(0)
        if time.monotonic() > end or not _is_handling_keys(pilot):
            return
        await pilot.pause(0.01)


def _is_handling_keys(pilot: Opened) -> bool:
    """Tell whether keys wait for an action's end, or have been released after it and are not handled yet."""
    screens = pilot.app.screen_stack
    return any(not pump._message_queue.empty() for pump in (pilot.app, *screens)) or any(
        isinstance(screen, WorkingScreen) and screen.is_holding_keys for screen in screens
    )


async def until(pilot: Opened, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, and what it changed is drawn."""
    await comes(pilot, condition)
    await drawn(pilot)


async def comes(pilot: Opened, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, also while work goes on that holds keys back."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"it never came to this:\n{text(pilot)}"
        await pilot.pause(0.01)


async def idle(pilot: Opened) -> None:
    """Wait until no epochs are running and everything is drawn."""
    await until(pilot, lambda: not bench(pilot).running)


def bench(pilot: Opened) -> BenchScreen:
    """Give the bench, which other screens may lie over."""
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, BenchScreen))


def frame(pilot: Opened) -> Frame:
    """Give the frame that the bench shows."""
    found = bench(pilot).frame
    assert found is not None
    return found


def text(pilot: Opened) -> str:
    """Give the whole screen as text, without blanks at line ends."""
    width, height = pilot.app.size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, record=True, legacy_windows=False
    )
    console.print(_drawn(pilot))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def strips(pilot: Opened) -> list[Strip]:
    """Give the whole screen as strips of styled text, a strip per row."""
    return [Strip.join(row) for row in _drawn(pilot).strips]


def _drawn(pilot: Opened) -> Any:
    app = pilot.app
    # As App.export_screenshot does it, which gives an SVG only.
    return app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)


# What a session holds, for comparing


def state(found: Frame) -> tuple[Any, ...]:
    """Give everything that training depends on, bit for bit."""
    return (
        [
            (one.name, bits(one.value), None if one.grad is None else bits(one.grad))
            for one in found.parameters
        ],
        found.epoch,
        found.learning_rate,
        found.loop,
        repr(found.loss),
        [repr(found.losses[epoch]) for epoch in range(len(found.losses))],
        None if found.backward is None else (found.backward.done, found.backward.over),
    )


def headless(actions: Sequence[Action], rate: float | None = None) -> Frame:
    """Give the frame that the same actions lead to without a screen; what is refused changes nothing."""
    session = Session(problems.load("crops"), rate)
    for action in actions:
        try:
            session.apply(action)
        except EngineError:
            continue
    return session.frame
