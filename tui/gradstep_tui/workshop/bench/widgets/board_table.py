"""The board's table: the class in three lines, a row for each learner, and details of the chosen one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.remark_lines import remark_lines
from gradstep_tui.text.remarks import NOTHING
from gradstep_tui.widgets.keybar import KeyBar, entries, entries_line
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.workshop.bench.widgets.board_columns import table_lines
from gradstep_tui.workshop.bench.widgets.board_rows import (
    SORTS,
    arranged,
    class_text,
    followers,
    presenting_text,
    seen_text,
    state_texts,
)
from gradstep_tui.workshop.bench.widgets.board_text import (
    MILESTONES,
    done_text,
    epoch_text,
    loss_text,
    phase_text,
    refusal_text,
    waiting_text,
)
from gradstep_tui.workshop.wire.messages import Row

if TYPE_CHECKING:
    from textual import events

    from gradstep_tui.key import Key

DETAIL = 4
"""Number of lines for the details of the chosen learner."""


class BoardTable(Panel):
    """Draws the rows that are in sight; only lines that have changed are sent to the terminal."""

    DEFAULT_CSS = "BoardTable { height: 1fr; }"

    def __init__(
        self, keys: Sequence[Key], clock: Callable[[], float] = time.time, host_key: str = ""
    ) -> None:
        """Begin without rows.

        Args:
            keys: Keys for the bottom line.
            clock: Returns the time in seconds since 1970.
            host_key: Fingerprint of the server's key; empty if it is unknown.
        """
        super().__init__()
        self._keys, self._clock, self._host_key = keys, clock, host_key
        self._rows: dict[str, Row] = {}
        self._sort, self._only = 0, ""
        self._presenter, self._own = "", False
        self.notice = NOTHING
        self.chosen = ""
        """Name of the learner whose row the cursor is on."""

    @property
    def following(self) -> int:
        """Number of learners who follow what is presented."""
        return followers([*self._rows.values()])

    @property
    def online(self) -> int:
        """Number of learners who are logged in."""
        return sum(row.online for row in self._rows.values())

    def row(self, name: str) -> Row | None:
        """Return a learner's row; None if there is no learner of that name."""
        return self._rows.get(name)

    def learn(self, rows: Sequence[Row]) -> None:
        """Replace rows that have changed, and draw the table."""
        self._rows |= {row.name: row for row in rows}
        self.redraw()

    def forget(self, names: Sequence[str]) -> None:
        """Remove rows, and draw the table."""
        for name in names:
            self._rows.pop(name, None)
        self.redraw()

    def walk(self, steps: int) -> None:
        """Move the cursor so many rows down, or up if `steps` is negative."""
        names = [row.name for row in self._shown()]
        if names:
            at = names.index(self.chosen) if self.chosen in names else -1
            self.chosen = names[min(max(at + steps, 0), len(names) - 1)]
            self.redraw()

    def sort(self) -> str:
        """Sort in the next order, and return the name of that order."""
        self._sort = (self._sort + 1) % len(SORTS)
        self.redraw()
        return SORTS[self._sort]

    def only(self, text: str) -> None:
        """Show only the rows that contain a text; all of them if it is empty."""
        self._only = text
        self.redraw()

    def present(self, presenter: str, *, own: bool) -> None:
        """Show who presents; `own` tells whether that is this instructor."""
        self._presenter, self._own = presenter, own
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the whole board as lines."""
        shown, now = self._shown(), self._clock()
        if self.chosen not in [row.name for row in shown]:
            self.chosen = shown[0].name if shown else ""
        body = [*self._summary(width, len(shown), now)]
        if shown:
            body += table_lines(shown, self.chosen, width, height - len(body) - DETAIL - 2, now)
        else:
            body += [line(), line(f" {self._why_empty()}")]
        body += [line()] * (height - len(body) - DETAIL - 2)
        chosen = self._rows.get(self.chosen)
        detail = [] if chosen is None else detail_lines(chosen, now)
        body += [*detail, *[line()] * (DETAIL - len(detail))]
        foot = remark_lines(self.notice, width, 1)[0] if self.notice else line()
        return [*body, foot, entries_line(entries(None, width, keys=self._keys), None)]

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked row, or say which key of the last line was clicked; a double click is Enter."""
        event.stop()
        if event.y == self.size.height - 1:
            for entry in entries(None, self.size.width, keys=self._keys):
                if entry.start <= event.x < entry.end:
                    self.post_message(KeyBar.Clicked(entry.key.id))
            return
        way = self.way_to(event.x, event.y)
        if way is None:
            return
        if event.chain > 1 and not way[1]:
            self.post_message(KeyBar.Clicked("watch"))
        else:
            self.walk(way[1])

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Do what the arrow up does."""
        self.walk(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Do what the arrow down does."""
        self.walk(1)

    def _summary(self, width: int, shown: int, now: float) -> list[Line]:
        rows = [*self._rows.values()]
        presenting = presenting_text(rows, self._presenter, self._own)
        order = f"by {SORTS[self._sort]}"
        if self._only:
            order = f"{shown} of {len(rows)} shown, with {self._only!r}; {order}"
        return [
            line(
                Span(f" {class_text(rows, now)}", "title"),
                Span(f"  {presenting}" if presenting else "", "mark"),
            ),
            line(f" {seen_text(rows, width - 1)}"),
            line(Span(f" {order}", "dim")),
            *[line(Span(f" this server's key: {self._host_key}", "dim"))] * bool(self._host_key),
        ]

    def _why_empty(self) -> str:
        if self._rows:
            return (
                f"The filter {self._only!r} hides all {len(self._rows)}: / changes it, / and Enter shows all."
            )
        return "Nobody has joined yet."

    def _shown(self) -> list[Row]:
        return arranged([*self._rows.values()], SORTS[self._sort], self._only)


def detail_lines(row: Row, now: float) -> list[Line]:
    """Return lines with everything about one learner."""
    facts = row.facts
    numbers = f"epochs {epoch_text(facts.epoch)}, loss {loss_text(row) or 'none yet'}"
    idle = f"idle {waiting_text(row, now)}" if row.online else "away"
    seen = ", ".join(name for milestone, name in MILESTONES.items() if milestone in facts.seen)
    unseen = ", ".join(name for milestone, name in MILESTONES.items() if milestone not in facts.seen)
    refused = f" PyTorch refused: {refusal_text(facts.refusal)}" if facts.refusal is not None else ""
    return [
        line(Span(f" {row.name}", "title"), f"  {row.problem}, {phase_text(facts.phase)}, {numbers}"),
        line(f" last: {done_text(row)}; {', '.join([idle, *state_texts(row, now)])}"),
        line(Span(refused, "warn")),
        line(
            f" has seen {seen or 'nothing of this yet'}",
            Span(f"; not {unseen}" if unseen else "", "dim"),
        ),
    ]
