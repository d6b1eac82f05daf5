"""The loop as Python, with the line that runs next marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.lines import Line, Span, line
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from engine.frame import Frame
    from engine.loop import Statement

KEYS: Final = {"forward": "f", "backward": "b", "update": "u", "zero": "z"}
"""The key that runs each kind of statement."""


class LoopPanel(Panel):
    """The four statements; `>` marks the next one, `#` one that is commented out."""

    title = "loop"

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the loop's lines."""
        return [] if self.frame is None else loop_lines(self.frame)


def loop_lines(frame: Frame) -> list[Line]:
    """Draw a frame's loop."""
    return [row for statement in frame.loop.statements for row in _statement_lines(frame, statement)]


def _statement_lines(frame: Frame, statement: Statement) -> list[Line]:
    inside = frame.in_pass and statement.kind == "backward"
    is_next = inside or (not frame.in_pass and frame.next == statement.kind)
    role = "current" if is_next else "" if statement.enabled else "dim"
    rows = []
    for number, text in enumerate(statement.lines):
        marker = ">" if is_next and number == 0 else " "
        code = text if statement.enabled else f"# {text}"
        key = KEYS[statement.kind] if number == 0 else " "
        rows.append(line(Span(f"{marker}", role), Span(f"{key} ", "key"), Span(code, role)))
    return rows
