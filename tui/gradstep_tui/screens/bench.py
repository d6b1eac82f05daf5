"""The main screen, which turns keys into actions and draws frames in panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.widgets import Static

from gradstep_tui.bindings import BINDINGS
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.base.keyed_screen import KeyedScreen, KeyHandler
from gradstep_tui.screens.key_handlers import HANDLERS
from gradstep_tui.widgets.keybar import KeyBar
from gradstep_tui.widgets.loop import LoopPanel
from gradstep_tui.widgets.losses import LossPanel
from gradstep_tui.widgets.notice import NoticeLine
from gradstep_tui.widgets.parameters import ParameterPanel
from gradstep_tui.widgets.status import StatusLine
from gradstep_tui.widgets.step import StepPanel
from gradstep_tui.widgets.trace import TracePanel

SMALLEST = (80, 24)
"""Smallest number of columns and rows in which the bench fits."""

ROOMY = (112, 36)
"""Numbers of columns and rows from which panels get larger."""


class BenchScreen(KeyedScreen):
    """The bench: a session's panels, key bar and notices."""

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    AUTO_FOCUS = ""
    keys: ClassVar[Sequence[Key]] = KEYS
    handlers: ClassVar[Mapping[str, KeyHandler]] = HANDLERS

    escape_does: ClassVar[str] = "stops"
    """Verb that says what Esc does to a run."""

    hint: var[str] = var("")
    """Hint that is shown if there is no notice; empty for the key to press next."""

    def compose(self) -> ComposeResult:
        """Yield the panels."""
        bench = BenchScreen
        yield StatusLine(self.waits_for).data_bind(bench.frame, bench.unsaved, bench.badge)
        with Horizontal(id="columns"):
            with Vertical(id="left"):
                yield ParameterPanel().data_bind(bench.frame)
                yield LossPanel().data_bind(bench.frame, bench.progress)
                yield StepPanel().data_bind(bench.frame, bench.complaint)
            with Vertical(id="right"):
                yield TracePanel().data_bind(bench.frame)
                yield LoopPanel().data_bind(bench.frame, bench.cursor)
                yield LossPanel().data_bind(bench.frame, bench.progress)
        yield NoticeLine(self.escape_does).data_bind(
            bench.frame, bench.notice, bench.progress, bench.busy, bench.hint
        )
        yield KeyBar(self.keys).data_bind(bench.frame, bench.cursor, bench.complaint)
        yield Static(id="too-small", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement for the new size."""
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        if small:
            self.query_one("#too-small", Static).update(too_small_text(width, height))


def too_small_text(width: int, height: int) -> str:
    """Return the text for a terminal that is too small for the bench."""
    return (
        f"gradstep needs {SMALLEST[0]}x{SMALLEST[1]}\nthis terminal is {width}x{height}\n"
        "make it larger: nothing is lost\nq quits"
    )
