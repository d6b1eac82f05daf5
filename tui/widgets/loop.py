"""The loop as Python, with the line that runs next marked, and the cursor that edits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.reactive import var

from tui.lines import Line, Span, line
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from engine.frame import Frame
    from engine.loop import Kind, Statement

KEYS: Final = {"forward": "f", "backward": "b", "update": "u", "zero": "z"}
"""The key that runs each kind of statement."""

CURSOR: Final = "|"
"""Stands before each line of the statement under the cursor."""


class LoopPanel(Panel):
    """The four statements; `>` marks the next one, `#` one that is commented out, `|` the cursor."""

    cursor: var[Kind | None] = var(None)
    """The statement that the cursor is on; None where it is away."""

    def title_text(self) -> str:
        """Say what can be done at the cursor."""
        return "loop" if self.cursor is None else "loop: # comments, K J move"

    def watch_cursor(self) -> None:
        """Draw it at its new place."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the loop's lines."""
        return [] if self.frame is None else loop_lines(self.frame, self.cursor)


def loop_lines(frame: Frame, cursor: Kind | None = None) -> list[Line]:
    """Draw a frame's loop, and the cursor where it is not away."""
    return [
        row
        for statement in frame.loop.statements
        for row in _statement_lines(frame, statement, statement.kind == cursor)
    ]


def _statement_lines(frame: Frame, statement: Statement, under_cursor: bool) -> list[Line]:
    inside = frame.in_pass and statement.kind == "backward"
    is_next = inside or (not frame.in_pass and frame.next == statement.kind)
    role = "current" if is_next else "" if statement.enabled else "dim"
    edge = CURSOR if under_cursor else " "
    rows = []
    for number, text in enumerate(statement.lines):
        marker = ">" if is_next and number == 0 else " "
        code = text if statement.enabled else f"# {text}"
        key = KEYS[statement.kind] if number == 0 else " "
        rows.append(line(Span(f"{marker}", role), Span(f"{key}{edge}", "key"), Span(code, role)))
    return rows
