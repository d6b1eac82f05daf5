"""The main screen, which turns keys into actions and draws frames in panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.reactive import var
from textual.widgets import Static

from gradstep_tui.bindings import BINDINGS
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.arrangement import SMALLEST, Pane, arrangement
from gradstep_tui.screens.base.keyed_screen import KeyedScreen, KeyHandler
from gradstep_tui.screens.key_handlers import HANDLERS
from gradstep_tui.text.remarks import hint
from gradstep_tui.widgets.code.code import CodePanel
from gradstep_tui.widgets.keybar import KeyBar
from gradstep_tui.widgets.lessons.data import DataPanel
from gradstep_tui.widgets.losses import LossPanel
from gradstep_tui.widgets.notice import NoticeLine
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.parameters import ParameterPanel
from gradstep_tui.widgets.status import StatusLine
from gradstep_tui.widgets.steps.step import StepPanel
from gradstep_tui.widgets.trace import TracePanel

if TYPE_CHECKING:
    from gradstep.frame import Frame

NO_PASS = "run a backward pass first: there is none to look at yet"
"""Notice if the list of a pass is to be gone through before there is one."""


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

    in_list: var[bool] = var(False)
    """Whether the arrows choose an event of the list, in place of a line of the loop."""

    def compose(self) -> ComposeResult:
        """Yield the panels."""
        bench = BenchScreen
        yield StatusLine(self.waits_for).data_bind(bench.frame, bench.unsaved, bench.badge)
        with Container(id="panes"):
            yield _placed(Pane.PARAMETERS, ParameterPanel().data_bind(bench.frame))
            yield _placed(Pane.TRACE, TracePanel().data_bind(bench.frame, bench.looked))
            yield _placed(Pane.STEP, StepPanel().data_bind(bench.frame, bench.complaint, bench.looked))
            yield _placed(Pane.CODE, CodePanel().data_bind(bench.frame, bench.cursor, bench.looked))
            yield _placed(Pane.DATA, DataPanel().data_bind(bench.frame))
            yield _placed(Pane.LOSS, LossPanel().data_bind(bench.frame, bench.progress))
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
        if small:
            self.query_one("#too-small", Static).update(too_small_text(width, height))
            return
        regions = arrangement(width, height)
        for pane in Pane:
            widget = self.query_one(f"#{pane}")
            widget.display = pane in regions
            if pane in regions:
                widget.styles.offset = regions[pane].offset
                widget.styles.width, widget.styles.height = regions[pane].size

    def watch_frame(self) -> None:
        """Look at the present again: the pass may be another one."""
        self.looked = None
        if self.frame is None or self.frame.backward is None:
            self.in_list = False

    def on_trace_panel_chosen(self, message: TracePanel.Chosen) -> None:
        """Look at the event whose row was clicked."""
        self.in_list, self.looked = True, message.event

    def move_cursor(self, steps: int) -> None:
        """Choose another event of the list of a pass, or move the cursor of the loop."""
        backward = None if self.frame is None else self.frame.backward
        if self.frame is None or backward is None or not self._chooses_events(self.frame):
            super().move_cursor(steps)
            return
        at = self.looked
        if at is None:
            at = max(backward.done - 1, 0)
            steps = 0 if backward.over else steps
        self.looked = min(max(at + steps, 0), max(backward.done - 1, 0))

    def scroll_parameters(self, pages: int) -> None:
        """Scroll the parameters some pages down."""
        self.query_one(ParameterPanel).scroll_by(pages)

    def switch_list(self) -> None:
        """Let the arrows choose an event of the list, or a line of the loop again."""
        if self.frame is None or self.frame.backward is None:
            self.notice = hint(NO_PASS)
            return
        self.in_list = not self._chooses_events(self.frame)
        self.cursor = None
        self.looked = max(self.frame.backward.done - 1, 0) if self.in_list else None
        if not self.in_list:
            super().move_cursor(0)

    def stop(self) -> None:
        """Look at the present again, or stop what runs."""
        if self.looked is not None and not self.running:
            self.looked, self.in_list = None, False
        else:
            super().stop()

    def _chooses_events(self, frame: Frame) -> bool:
        return self.in_list or (frame.in_pass and self.cursor is None)


def _placed(pane: Pane, panel: Panel) -> Panel:
    """Return the widget of a pane, with the pane's id."""
    panel.id = pane
    return panel


def too_small_text(width: int, height: int) -> str:
    """Return the text for a terminal that is too small for the bench."""
    return (
        f"gradstep needs {SMALLEST[0]}x{SMALLEST[1]}\nthis terminal is {width}x{height}\n"
        "make it larger: nothing is lost\nq quits"
    )
