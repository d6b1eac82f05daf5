"""The instructor's board: where the class is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import var
from textual.screen import Screen

from tui.lines import Line, Span, line, wrapped
from tui.screens.ask import AskScreen
from tui.widgets.panel import Panel
from tui.workshop.board import SORTS, Entry, arranged, board_lines, summary_line
from tui.workshop.messages import Follow, Helped, Present, Rows, Tell

if TYPE_CHECKING:
    from tui.workshop.link import Link

KEYS: Final = (
    " Enter watch  p present  m tell one  M tell all  h help came  s sort  / filter  o own bench  q leave"
)

EVERY: Final = 5.0
"""Seconds after which idle times are drawn anew."""


class BoardScreen(Screen[None]):
    """Everybody, a row each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "walk(-1)", "up", tooltip="Choose the learner above."),
        Binding("down,j", "walk(1)", "down", tooltip="Choose the learner below."),
        Binding("pageup", "walk(-10)", "up", tooltip="Choose ten above."),
        Binding("pagedown", "walk(10)", "down", tooltip="Choose ten below."),
        Binding("home", "walk(-100000)", "first", tooltip="Choose the first."),
        Binding("end", "walk(100000)", "last", tooltip="Choose the last."),
        Binding("enter", "watch", "watch", tooltip="Watch the chosen learner's bench."),
        Binding("p", "present", "present", tooltip="Show the class your own bench, or stop."),
        Binding("m", "tell_one", "tell", tooltip="Tell the chosen learner something."),
        Binding("M,upper_m", "tell_all", "tell all", tooltip="Tell everybody something."),
        Binding("h", "helped", "help came", tooltip="Take the chosen learner's hand down."),
        Binding("s", "sort", "sort", tooltip="Sort in another way."),
        Binding("slash", "filter", "filter", tooltip="Show only some."),
        Binding("o,f2,escape", "own", "own bench", tooltip="Go to your own bench."),
        Binding("q", "app.quit", "leave", tooltip="Leave the workshop."),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    BoardScreen { background: $background; }
    BoardScreen > Vertical { height: 1fr; }
    """
    notice: var[str] = var("")

    def __init__(self, link: Link) -> None:
        """Begin empty; the server sends the rows."""
        super().__init__()
        self._link = link
        self._table = _Table()
        self.presenting = False

    def compose(self) -> ComposeResult:
        """Lay the board out."""
        with Vertical():
            yield self._table

    def on_mount(self) -> None:
        """Have idle times go on."""
        self.set_interval(EVERY, self._table.redraw)

    def watch_notice(self, notice: str) -> None:
        """Draw it."""
        self._table.notice = notice
        self._table.redraw()

    def learn(self, rows: Rows) -> None:
        """Take in what has changed."""
        self._table.learn(rows)

    def action_walk(self, steps: int) -> None:
        """Choose another learner."""
        self._table.walk(steps)

    def action_watch(self) -> None:
        """Watch the chosen learner."""
        if self._table.chosen:
            self._link.send(Follow(self._table.chosen))

    def action_present(self) -> None:
        """Show the class the own bench, or stop."""
        self.presenting = not self.presenting
        self._link.send(Present(self.presenting))
        self._table.presenting = self.presenting
        self.notice = (
            "you present: go to your own bench (o); learners see what you do there"
            if self.presenting
            else "you present no more: everybody is back on the own bench"
        )

    def action_tell_one(self) -> None:
        """Tell the chosen learner something."""
        if self._table.chosen:
            self._ask(self._table.chosen)

    def action_tell_all(self) -> None:
        """Tell everybody something."""
        self._ask("")

    def action_helped(self) -> None:
        """Take the chosen learner's hand down."""
        if self._table.chosen:
            self._link.send(Helped(self._table.chosen))

    def action_sort(self) -> None:
        """Sort in another way."""
        self._table.sort()

    def action_filter(self) -> None:
        """Ask for a part of a name, of a problem or of what is done."""

        def show(text: str | None) -> None:
            if text is not None:
                self._table.only(text)

        self.app.push_screen(
            AskScreen("Show which? A part of a name, a problem; nothing for all", "", str.strip), show
        )

    def action_own(self) -> None:
        """Go to the own bench."""
        if self.is_current:
            self.app.pop_screen()

    def _ask(self, to: str) -> None:
        def tell(text: str | None) -> None:
            if text:
                self._link.send(Tell(text, to))
                self.notice = f"told {to or 'everybody'}: {text}"

        self.app.push_screen(AskScreen(f"Tell {to or 'everybody'} what?", "", str.strip), tell)


class _Table(Panel):
    """The rows, and which of them is chosen."""

    DEFAULT_CSS = "_Table { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._sort = 0
        self._only = ""
        self.chosen = ""
        self.notice = ""
        self.presenting = False

    def learn(self, rows: Rows) -> None:
        now = time.monotonic()
        self._entries |= {row.name: Entry(row, now - row.idle) for row in rows.rows}
        self.redraw()

    def walk(self, steps: int) -> None:
        names = [one.row.name for one in self._shown()]
        if names:
            at = names.index(self.chosen) if self.chosen in names else -1
            self.chosen = names[min(max(at + steps, 0), len(names) - 1)]
            self.redraw()

    def sort(self) -> None:
        self._sort = (self._sort + 1) % len(SORTS)
        self.redraw()

    def only(self, text: str) -> None:
        self._only = text
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        shown = self._shown()
        if self.chosen not in [one.row.name for one in shown]:
            self.chosen = shown[0].row.name if shown else ""
        head = summary_line([*self._entries.values()], SORTS[self._sort], self._only, self.presenting)
        rows = board_lines(shown, self.chosen, width, height - 3, time.monotonic())

        body = [head, *rows]
        body += [line()] * (height - 2 - len(body))
        foot = wrapped(f" {self.notice}", width, "warn", most=1) if self.notice else [line()]
        return [*body, *foot, line(Span(KEYS, "dim"))]

    def _shown(self) -> list[Entry]:
        return arranged([*self._entries.values()], SORTS[self._sort], self._only, time.monotonic())
