"""The timeline, and comparisons of the session with its twin or with another point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import GoTo
from gradstep_tui.screens.base.working_screen import AT_ONCE
from gradstep_tui.screens.dialogs.comparison import ComparisonScreen
from gradstep_tui.screens.dialogs.timeline import Against, Choice, TimelineScreen
from gradstep_tui.text.comparison import Names
from gradstep_tui.text.remarks import hint
from gradstep_tui.text.statements import EPOCH, unit_of, zeroes
from gradstep_tui.text.timeline import compared_names

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison
    from gradstep.history.substeps import Inside
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


def show_timeline(bench: KeyedScreen) -> None:
    """Show the timeline; go to the chosen point, or compare the session with it."""

    def chosen(choice: Choice | None) -> None:
        if isinstance(choice, GoTo):
            bench.perform(choice)
        elif isinstance(choice, Against):
            _compare_with(bench, choice.point)

    def find_room(number: int, found: Callable[[Inside | None], None]) -> None:
        def look() -> None:
            if session is not None and screen.wants(number):
                inside = session.inside
                bench.work(lambda _: inside(number), found, title="timeline", at_once=AT_ONCE)

        bench.when_idle(look)

    session = bench.idle_session()
    if session is not None:
        screen = TimelineScreen(session.timeline, find_room, session.frame.loop)
        bench.app.push_screen(screen, chosen)


def show_twin(bench: KeyedScreen) -> None:
    """Compare the session with its twin, the same run with zeroing."""

    def open_screen(found: Comparison) -> None:
        press = partial(_step_beside, bench)
        bench.app.push_screen(ComparisonScreen(found, _twins(bench), "the session and its twin", press))

    session = bench.idle_session()
    if session is not None:
        bench.work(session.twin, open_screen, title="twin")


ALONE: Final = (
    "this is the point at which the session stands, and there is no other run beside it: choose another point"
)
"""Hint if the session is to be compared with itself."""


def _compare_with(bench: KeyedScreen, point: int) -> None:
    """Compare the session with a point; with the run beside it if it is the session's own point."""
    session = bench.idle_session()
    if session is None:
        return
    line = session.timeline()
    mine = line.stops[: (line.here or 0) + 1]
    if mine[-1].number == point:
        if line.beside is None:
            bench.notice = hint(ALONE)
            return
        point = line.beside
    others = session.timeline(point).stops
    place = next(place for place, stop in enumerate(others) if stop.number == point)
    names = compared_names(mine, others[: place + 1], session.frame)

    def open_screen(found: Comparison) -> None:
        bench.app.push_screen(ComparisonScreen(found, names, f"the session and point {point}"))

    bench.work(partial(session.compare, point), open_screen, title="comparison")


def _step_beside(bench: KeyedScreen, key_id: str) -> None:
    """Handle a key of the bench, then compare the session with its twin again for the open dialog."""

    def show(found: Comparison) -> None:
        screen = bench.app.screen
        if isinstance(screen, ComparisonScreen):
            screen.show(found, _twins(bench))

    def step() -> None:
        bench.action_press(key_id)
        bench.when_idle(compare)

    def compare() -> None:
        session = bench.idle_session()
        if session is not None:
            bench.work(session.twin, show, title="twin")

    bench.when_idle(step)


def _twins(bench: KeyedScreen) -> Names:
    on = bench.frame is None or zeroes(bench.frame.loop) is not False
    here = f"session, zeroing {'on' if on else 'OFF'}"
    return Names(here, "twin, zeroing on", "its twin", _unit(bench), bench.frame)


def _unit(bench: KeyedScreen) -> str:
    return EPOCH if bench.frame is None else unit_of(bench.frame.loop)
