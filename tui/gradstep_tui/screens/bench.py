"""The main screen: keys become actions, frames become panels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.widgets import Static

from gradstep.errors import EngineError
from gradstep_tui.bindings import BINDINGS
from gradstep_tui.keys import BY_ID, KEYS, Key
from gradstep_tui.screens.dialog_openers import OPENS
from gradstep_tui.screens.session_screen import SessionScreen
from gradstep_tui.text.refusals import key_refusal_text
from gradstep_tui.text.verdict import verdict_text
from gradstep_tui.widgets.keybar import KeyBar
from gradstep_tui.widgets.loop import LoopPanel
from gradstep_tui.widgets.losses import LossPanel
from gradstep_tui.widgets.notice import NoticeLine
from gradstep_tui.widgets.parameters import ParameterPanel
from gradstep_tui.widgets.status import StatusLine
from gradstep_tui.widgets.step import StepPanel
from gradstep_tui.widgets.trace import TracePanel

if TYPE_CHECKING:
    from gradstep.loop.loop import Kind

SMALLEST = (80, 24)
"""Columns and rows that the bench needs."""

ROOMY = (112, 36)
"""Columns and rows from which panels get larger."""


class BenchScreen(SessionScreen):
    """Turns keys into actions; the panels draw the frame."""

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    AUTO_FOCUS = ""
    keys: ClassVar[Sequence[Key]] = KEYS
    """What the key bar, the help and the command palette show."""

    escape_does: ClassVar[str] = "stops"
    """To a run."""

    hint: var[str] = var("")
    """What to say where there is nothing else to say; empty for which key makes sense next."""

    cursor: var[Kind | None] = var(None)
    """The statement of the loop that edits are for, wherever it moves; None where the cursor is away."""

    def compose(self) -> ComposeResult:
        """Lay the panels out."""
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
        yield NoticeLine(self.escape_does).data_bind(bench.frame, bench.notice, bench.progress, bench.hint)
        yield KeyBar(self.keys).data_bind(bench.frame, bench.cursor)
        yield Static(id="too-small", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement for the new size."""
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        if small:
            self.query_one("#too-small", Static).update(too_small_text(width, height))

    # Keys

    def action_press(self, key_id: str) -> None:
        """Do what a key is for, or say why it cannot be done now."""
        key = BY_ID[key_id]
        if self.has_class("-small") and key_id != "quit":
            return
        if key.action is not None:
            self.perform(key.action())
        elif key.edit is not None:
            self._edit(key)
        elif key_id in OPENS:
            OPENS[key_id](self)
        else:
            getattr(self, f"press_{key_id}")()

    def press_verdict(self) -> None:
        """Say what the loop does to training; nothing changes by it."""
        session = self.idle_session()
        if session is None:
            return
        try:
            verdict = session.verdict()
        except EngineError as error:  # the reference loop itself cannot run
            self._show(session, error)
        else:
            self.complaint, self.notice = verdict.error, verdict_text(verdict)

    def press_stop(self) -> None:
        """Stop a run of epochs, or put the cursor away."""
        if self.running:
            self._stop.set()
        elif self.cursor is not None:
            self.cursor = None
        else:
            self.notice = "nothing is running"

    def press_cursor_up(self) -> None:
        """Put the cursor one statement up."""
        self._move_cursor(-1)

    def press_cursor_down(self) -> None:
        """Put the cursor one statement down."""
        self._move_cursor(1)

    def press_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def _move_cursor(self, steps: int) -> None:
        """Move the cursor; from away it comes to the next line, and from an end of the loop to the other."""
        if self.frame is None:
            self._waiting.append(partial(self._move_cursor, steps))
            return
        kinds = [statement.kind for statement in self.frame.loop.statements]
        if self.cursor is None:
            self.cursor = self.frame.next or kinds[0]
        else:
            self.cursor = kinds[(kinds.index(self.cursor) + steps) % len(kinds)]

    def _edit(self, key: Key) -> None:
        """Do to the statement under the cursor what the key is for."""
        if self.frame is None:
            self._waiting.append(partial(self._edit, key))
        elif self.cursor is None:
            self.notice = key_refusal_text(key, self.frame, None)
        elif key.edit is not None:
            self.perform(key.edit(self.cursor))

    def can(self, key: Key) -> bool:
        """Whether a key can work now; where it cannot, the notice says why."""
        reason = "" if self.frame is None else key_refusal_text(key, self.frame, self.cursor)
        if reason:
            self.notice = reason
        return not reason


def too_small_text(width: int, height: int) -> str:
    """Say what the bench needs."""
    return (
        f"gradstep needs {SMALLEST[0]}x{SMALLEST[1]}\nthis terminal is {width}x{height}\n"
        "nothing is lost: make it larger\nq leaves"
    )
