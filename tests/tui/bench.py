"""The real app, opened in Textual's pilot with a real session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from textual.pilot import Pilot

from tui.app import GradstepApp
from tui.cli import make_session
from tui.screens.bench import BenchScreen


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), *, rate: float | None = None, ascii_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    """Open the bench on `crops` and wait until its session is there."""
    app = GradstepApp(partial(make_session, "crops", None, rate), ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        while bench(pilot).frame is None:
            await pilot.pause(0.01)
        yield pilot


def bench(pilot: Pilot[None]) -> BenchScreen:
    """Give the bench, which other screens may lie over."""
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, BenchScreen))
