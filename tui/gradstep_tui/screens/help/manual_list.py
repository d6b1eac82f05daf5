"""The list of topics, or of search results, in the manual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from gradstep_tui.drawing.lines import Line, Span, line, window_start
from gradstep_tui.widgets.panel import Panel

SHORTEST: Final = 12
"""Columns of a text that are worth drawing."""


class ManualRow(NamedTuple):
    """A row of the list."""

    topic: str
    """Name of the page."""

    text: str
    """Summary of the page, or the passage that was found."""


class ManualList(Panel, can_focus=True):
    """Rows to choose from; `>` marks the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that each is done before the next key is looked at.
        Binding(keys, action, label, tooltip=tooltip, priority=True)
        for keys, action, label, tooltip in (
            ("up,k", "walk(-1)", "up", "Choose the row above."),
            ("down,j", "walk(1)", "down", "Choose the row below."),
            ("pageup", "walk(-10)", "up", "Choose the row ten above."),
            ("pagedown", "walk(10)", "down", "Choose the row ten below."),
            ("home", "walk(-100000)", "first", "Choose the first row."),
            ("end", "walk(100000)", "last", "Choose the last row."),
            ("enter", "choose", "open", "Open the chosen page."),
        )
    ]

    class Chosen(Message):
        """Somebody wants to read the page of a row."""

        def __init__(self, index: int) -> None:
            """Carry the row, from 0."""
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._rows: Sequence[ManualRow] = ()
        self._at = 0

    def show(self, rows: Sequence[ManualRow]) -> None:
        """List other rows, with the first one chosen."""
        self._rows, self._at = rows, 0
        self.redraw()

    def action_walk(self, steps: int) -> None:
        """Choose another row."""
        self._at = min(max(self._at + steps, 0), len(self._rows) - 1)
        self.redraw()

    def action_choose(self) -> None:
        """Ask for the page of the chosen row."""
        self.post_message(self.Chosen(self._at))

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw the rows around the chosen one."""
        first = window_start(self._at, len(self._rows), height)
        wide = max((len(row.topic) for row in self._rows), default=0)
        return [
            line(
                Span(
                    f"{'>' if index == self._at else ' '} {row.topic:<{wide}}",
                    "key" if index == self._at else "",
                ),
                Span(f"  {row.text}" if width - wide > SHORTEST else ""),
            )
            for index, row in enumerate(self._rows[first : first + height], first)
        ]
