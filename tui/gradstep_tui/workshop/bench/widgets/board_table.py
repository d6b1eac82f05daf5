"""The board: the class in two lines, a row for each learner, and the chosen one in full."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.widgets.keybar import keys_line
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.workshop.bench.widgets.board_columns import epoch_text, loss_text, table_lines, waits_text
from gradstep_tui.workshop.bench.widgets.board_rows import (
    SORTS,
    arranged,
    class_text,
    followers,
    presenting_text,
    seen_text,
    state_words,
)
from gradstep_tui.workshop.wire.messages import Row
from gradstep_tui.workshop.wire.milestones import ALL

if TYPE_CHECKING:
    from gradstep_tui.keys import Key

DETAIL = 4
"""Lines for the chosen one."""


class Table(Panel):
    """Draws the learners that are in sight, and of those only the rows that changed."""

    DEFAULT_CSS = "Table { height: 1fr; }"

    def __init__(self, keys: Sequence[Key], clock: Callable[[], float] = time.time) -> None:
        """Begin empty.

        Args:
            keys: What is shown at the bottom.
            clock: Gives the seconds since 1970.
        """
        super().__init__()
        self._keys, self._clock = keys, clock
        self._rows: dict[str, Row] = {}
        self._sort, self._only = 0, ""
        self._presenter, self._own = "", False
        self.notice = ""
        self.chosen = ""
        """Whose row the cursor is on."""

    @property
    def following(self) -> int:
        """How many see what is presented."""
        return followers([*self._rows.values()])

    @property
    def online(self) -> int:
        """How many are logged in."""
        return sum(row.online for row in self._rows.values())

    def row(self, name: str) -> Row | None:
        """Give a learner's row; None where there is none."""
        return self._rows.get(name)

    def learn(self, rows: Sequence[Row]) -> None:
        """Take in rows that have changed."""
        self._rows |= {row.name: row for row in rows}
        self.redraw()

    def walk(self, steps: int) -> None:
        """Move the cursor."""
        names = [row.name for row in self._shown()]
        if names:
            at = names.index(self.chosen) if self.chosen in names else -1
            self.chosen = names[min(max(at + steps, 0), len(names) - 1)]
            self.redraw()

    def sort(self) -> str:
        """Sort in the next way; give its name."""
        self._sort = (self._sort + 1) % len(SORTS)
        self.redraw()
        return SORTS[self._sort]

    def only(self, text: str) -> None:
        """Show those that a text is found in."""
        self._only = text
        self.redraw()

    def present(self, presenter: str, *, own: bool) -> None:
        """Show who presents."""
        self._presenter, self._own = presenter, own
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw it all."""
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
        foot = wrapped(f"! {self.notice}", width - 1, "warn", most=1)[0] if self.notice else line()
        return [*body, line(" ", *foot) if foot else foot, keys_line(None, width, keys=self._keys)]

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
    """Tell all of one learner."""
    facts = row.facts
    numbers = f"epochs {epoch_text(facts.epoch)}, loss {loss_text(row) or 'none yet'}"
    idle = f"idle {waits_text(row, now)}" if row.online else "away"
    unseen = ", ".join(one for one in ALL if one not in facts.seen)
    return [
        line(Span(f" {row.name}", "title"), f"  {row.problem}, {facts.phase or 'next: forward'}, {numbers}"),
        line(f" last: {facts.done}; {', '.join([idle, *state_words(row, now)])}"),
        line(Span(f" PyTorch refused: {facts.error}" if facts.error else "", "warn")),
        line(
            f" has seen {', '.join(facts.seen) or 'nothing of this yet'}",
            Span(f"; not {unseen}" if unseen else "", "dim"),
        ),
    ]
