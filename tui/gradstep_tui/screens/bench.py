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
from gradstep_tui.screens.arrangement import SMALLEST, TURN, Pane, arrangement
from gradstep_tui.screens.base.course_screen import CourseScreen
from gradstep_tui.screens.base.keyed_screen import KeyHandler
from gradstep_tui.screens.key_handlers import HANDLERS
from gradstep_tui.text.remarks import hint
from gradstep_tui.widgets.code.code import CodePanel
from gradstep_tui.widgets.course.course_pane import CoursePanel
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
    from gradstep.frame import PassFrame
    from gradstep.lessons.course import Course
    from gradstep.session import Session

NO_PASS = "run a backward pass first: there is none to look at yet"
"""Notice if the list of a pass is to be gone through before there is one."""


class BenchScreen(CourseScreen):
    """The bench: a session's panels, key bar and notices."""

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    AUTO_FOCUS = ""
    keys: ClassVar[Sequence[Key]] = KEYS
    handlers: ClassVar[Mapping[str, KeyHandler]] = HANDLERS

    escape_does: ClassVar[str] = "stops"
    """Verb that says what Esc does to a run."""

    hint: var[str] = var("")
    """Hint that is shown if there is no notice; empty for the key to press next."""

    chosen_pane: var[Pane | None] = var(None)
    """Pane that was chosen for the arrows; None for the pass while it is stepped, and else the code."""

    zoomed: var[bool] = var(False)
    """Whether the pane in focus is shown alone."""

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
            lesson = CoursePanel().data_bind(bench.course, bench.away, page=bench.lesson_page)
            yield _placed(Pane.LESSON, lesson)
        yield NoticeLine(self.escape_does).data_bind(
            bench.frame, bench.notice, bench.progress, bench.busy, bench.hint
        )
        yield KeyBar(self.keys).data_bind(bench.frame, bench.cursor, bench.complaint)
        yield Static(id="too-small", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement for the new size."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        if small:
            self.query_one("#too-small", Static).update(too_small_text(width, height))
            return
        zoomed = self.focused_pane if self.zoomed else None
        self.query_one(CodePanel).is_whole = zoomed is Pane.CODE
        regions = arrangement(width, height, zoomed, lesson=self.course is not None)
        for pane in Pane:
            widget = self.query_one(f"#{pane}")
            widget.display = pane in regions
            if pane in regions:
                widget.styles.offset = regions[pane].offset
                widget.styles.width, widget.styles.height = regions[pane].size

    def watch_frame(self) -> None:
        """Look at the present again: the pass may be another one."""
        self.looked = None
        self._show_focus()

    def watch_chosen_pane(self) -> None:
        """Show which pane the arrows act in; in another one than the code, they move no cursor."""
        if self.focused_pane is not Pane.CODE:
            self.cursor = None
        self._show_focus()

    def take(self, session: Session) -> None:
        """Show a session, each pane from its begin."""
        for pane in Pane:
            self._panel(pane).show_start()
        super().take(session)

    def watch_cursor(self) -> None:
        """Show which pane the arrows act in: with a cursor in the loop, the code."""
        self._show_focus()

    def watch_course(self, before: Course | None, course: Course | None) -> None:
        """Make room for a lesson, or give it back."""
        if (before is None) != (course is None):
            self._arrange()

    def watch_zoomed(self) -> None:
        """Show one pane alone, or all of them."""
        self._arrange()

    @property
    def focused_pane(self) -> Pane:
        """Pane in which the arrows act."""
        if self.chosen_pane is not None:
            return self.chosen_pane
        in_pass = self.frame is not None and self.frame.in_pass
        return Pane.TRACE if in_pass and self.cursor is None else Pane.CODE

    def _show_focus(self) -> None:
        for pane in Pane:
            self._panel(pane).in_focus = pane is self.focused_pane
        if self.zoomed:
            self._arrange()

    def _panel(self, pane: Pane) -> Panel:
        return self.query_one(f"#{pane}", Panel)

    def on_trace_panel_chosen(self, message: TracePanel.Chosen) -> None:
        """Look at the event whose row was clicked."""
        self.chosen_pane, self.looked = Pane.TRACE, message.event

    def click_pane(self, pane: Panel, *, on_title: bool) -> None:
        """Give a clicked pane the focus; zoom it if its title was clicked, or else do what its key does."""
        if pane.id is not None and pane.id in {*TURN}:
            self.chosen_pane = Pane(pane.id)
            if on_title:
                self.zoomed = not self.zoomed
                return
        super().click_pane(pane, on_title=on_title)

    def move_cursor(self, steps: int) -> None:
        """Choose or scroll something in the pane in focus: an event of the pass, a line, a number."""
        if self.frame is None or self.focused_pane is Pane.CODE:
            super().move_cursor(steps)
        elif self.focused_pane is not Pane.TRACE:
            self._panel(self.focused_pane).walk(steps)
        elif self.frame.backward is None:
            self.notice = hint(NO_PASS)
        else:
            self._look_back(self.frame.backward, steps)

    def _look_back(self, backward: PassFrame, steps: int) -> None:
        """Look at another event of a pass; the first arrow after the pass looks at the last one."""
        at = self.looked
        if at is None:
            at = max(backward.done - 1, 0)
            steps = 0 if backward.over else steps
        self.looked = min(max(at + steps, 0), max(backward.done - 1, 0))

    def scroll_pane(self, pages: int) -> None:
        """Scroll the pane in focus some pages down; if all of it is shown, the parameters."""
        pane = self._panel(self.focused_pane)
        if isinstance(pane, CodePanel) and pane.shows_file:
            pane.scroll_by(pages)
        elif isinstance(pane, DataPanel):
            pane.walk(pages * max(pane.size.height - 3, 1))
        else:
            self.query_one(ParameterPanel).scroll_by(pages)

    def next_pane(self, steps: int) -> None:
        """Give the focus to another of the panes that are shown; of a single one, to any other."""
        turn = TURN if self.zoomed else [pane for pane in TURN if self._panel(pane).title_drawn]
        place = turn.index(self.focused_pane) if self.focused_pane in turn else -1
        self.chosen_pane = turn[(place + steps) % len(turn)]
        backward = None if self.frame is None else self.frame.backward
        if self.chosen_pane is Pane.TRACE and backward is not None and self.looked is None:
            self._look_back(backward, 0)

    def zoom(self) -> None:
        """Show the pane in focus alone, or all panes again."""
        self.chosen_pane = self.focused_pane
        self.zoomed = not self.zoomed

    def stop(self) -> None:
        """Stop what runs, or else show all panes, look at the present, or let the situation choose a pane."""
        if self.running:
            super().stop()
        elif self.zoomed:
            self.zoomed = False
        elif self.looked is not None or self.chosen_pane is not None:
            self.looked = self.chosen_pane = None
        else:
            super().stop()


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
