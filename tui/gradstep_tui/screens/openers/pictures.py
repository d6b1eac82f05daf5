"""The pictures of the session, which are computed in a thread while their dialog is open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradstep_tui.screens.dialogs.pictures import PicturesScreen
from gradstep_tui.screens.openers.computed import show_wanted
from gradstep_tui.session.pictures import album
from gradstep_tui.text.refusals import error_remark
from gradstep_tui.widgets.pictures.picture import SURFACE

if TYPE_CHECKING:
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


def show_pictures(bench: KeyedScreen, at: int = SURFACE) -> None:
    """Show pictures of the session, computed in a thread; `at` is the index of the first."""
    session, frame = bench.idle_session(), bench.frame
    if session is None or frame is None:
        return
    pictures = session.pictures()

    def compute(places: tuple[int, int] | None) -> None:
        show_wanted(bench, screen, places, lambda: partial(album, pictures, places))

    def press(key_id: str) -> None:
        bench.when_idle(lambda: step(key_id))

    def step(key_id: str) -> None:
        bench.action_press(key_id)
        bench.when_idle(show)

    def show() -> None:
        nonlocal pictures
        if bench.frame is not None:
            pictures = session.pictures()
            refused = bench.complaint
            screen.go_on(bench.frame, bench.notice if refused is None else error_remark(refused))

    def stop(_: None) -> None:
        if bench.running:
            bench.stop()

    screen = PicturesScreen(frame, pictures.count, compute, press, at)
    bench.app.push_screen(screen, stop)
