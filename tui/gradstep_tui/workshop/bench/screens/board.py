"""The instructor's board: where the class is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import var
from textual.screen import Screen

from gradstep.errors import BadInput
from gradstep_tui.keys import Key
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.help import HelpScreen
from gradstep_tui.workshop.bench.widgets.board_table import Table
from gradstep_tui.workshop.wire.messages import LONGEST_TEXT, Helped, Row, Tell

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.server_link import Link

KEYS: Final = (
    Key("walk(-1)", "up,k", "↑", "up", "Choose the learner above; PgUp goes ten up, Home to the first.", 1),
    Key(
        "walk(1)", "down,j", "↓", "down", "Choose the learner below; PgDn goes ten down, End to the last.", 1
    ),
    Key("watch", "enter", "Enter", "watch", "Watch the chosen learner's bench, live.", 10),
    Key("helped", "h", "h", "help came", "Take the chosen learner's hand down.", 6),
    Key("tell_one", "m", "m", "tell", "Tell the chosen learner something.", 7),
    Key("tell_all", "M,upper_m", "M", "tell all", "Tell everybody something.", 7),
    Key("present", "p,F,upper_f", "p", "present", "Show the class your own bench, or stop (also F).", 9),
    Key("own", "o,f2,escape", "o", "own bench", "Go to your own bench; F2 comes back here.", 9),
    Key("sort", "s", "s", "sort", "Sort by hands and waiting, by name, by epochs, by loss.", 5),
    Key("filter", "slash", "/", "filter", "Show only some: by name, problem, hand, error, ...", 5),
    Key("help", "question_mark", "?", "help", "Show what every key does.", 10),
    Key("leave", "q", "q", "leave", "Leave the workshop.", 8),
)
"""The board's keys, by their actions."""

MORE: Final = """
 The signs before a name
   !   a hand is up: whoever raised it first stands first
   x   PyTorch refused the last action
   w   somebody watches; -  the learner does not want to be watched just now
   f   follows what you present; without it, the learner has broken away

 The curve shows the losses of all epochs. Idle is the time since the last action.
 A filter looks for its text in names, problems and last actions; it also knows hand,
 error, away, watched, not watchable, follows, and e.g. no accumulation: who has not
 seen it yet.
"""

EVERY: Final = 5.0
"""Seconds after which idle times are drawn anew."""

ONLY: Final = "Show whom? A name, problem, hand, error, away, no accumulation; nothing: all"


class BoardScreen(Screen[None]):
    """Everybody, a row each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(one.keys, one.id, one.label, key_display=one.shown, tooltip=one.tooltip) for one in KEYS),
        Binding("pageup", "walk(-10)", "up", tooltip="Choose ten above."),
        Binding("pagedown", "walk(10)", "down", tooltip="Choose ten below."),
        Binding("home", "walk(-100000)", "first", tooltip="Choose the first."),
        Binding("end", "walk(100000)", "last", tooltip="Choose the last."),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    BoardScreen { background: $background; }
    BoardScreen > Vertical { height: 1fr; }
    """
    notice: var[str] = var("")

    def __init__(self, link: Link, *, watch: Callable[[str], None], present: Callable[[], None]) -> None:
        """Begin empty; the server sends the rows.

        Args:
            link: Where requests go.
            watch: Opens a learner's bench.
            present: Shows the class the own bench, or stops that.
        """
        super().__init__()
        self._link, self._watch, self._present = link, watch, present
        self.table = Table(KEYS)

    def compose(self) -> ComposeResult:
        """Lay the board out."""
        with Vertical():
            yield self.table

    def on_mount(self) -> None:
        """Have idle times go on."""
        self.set_interval(EVERY, self.table.redraw)

    def watch_notice(self, notice: str) -> None:
        """Draw it."""
        self.table.notice = notice
        self.table.redraw()

    @property
    def following(self) -> int:
        """How many see what is presented."""
        return self.table.following

    def learn(self, rows: Sequence[Row]) -> None:
        """Take in what has changed."""
        self.table.learn(rows)

    def present(self, presenter: str, *, own: bool) -> None:
        """Show who presents."""
        self.table.present(presenter, own=own)

    # Keys

    def action_walk(self, steps: int) -> None:
        """Choose another learner."""
        self.table.walk(steps)

    def action_watch(self) -> None:
        """Watch the chosen learner."""
        if self.table.chosen:
            self._watch(self.table.chosen)

    def action_present(self) -> None:
        """Show the class the own bench, or stop."""
        self._present()

    def action_tell_one(self) -> None:
        """Tell the chosen learner something."""
        if self.table.chosen:
            self._ask(self.table.chosen)

    def action_tell_all(self) -> None:
        """Tell everybody something."""
        self._ask("")

    def action_helped(self) -> None:
        """Take the chosen learner's hand down."""
        name = self.table.chosen
        row = self.table.row(name)
        if row is not None and row.hand:
            self._link.send(Helped(name))
            self.notice = f"{name}'s hand is down"
        elif row is not None:
            self.notice = f"{name}'s hand is not up"

    def action_sort(self) -> None:
        """Sort in another way."""
        self.notice = f"sorted by {self.table.sort()}"

    def action_filter(self) -> None:
        """Ask whom to show."""

        def show(text: str | None) -> None:
            if text is not None:
                self.table.only(text)

        self.app.push_screen(AskScreen(ONLY, "", str.strip), show)

    def action_own(self) -> None:
        """Go to the own bench."""
        if self.is_current:
            self.app.pop_screen()

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(KEYS, MORE))

    def action_leave(self) -> None:
        """Leave the workshop."""
        self.app.exit()

    def _ask(self, to: str) -> None:
        row = self.table.row(to)
        when = " as soon as they are back" if row is not None and not row.online else ""

        def tell(text: str | None) -> None:
            if text:
                self._link.send(Tell(text, to))
                self.notice = f"told {to or f'all {self.table.online} who are here'}{when}: {text}"

        self.app.push_screen(AskScreen(f"Tell {to or 'everybody'} what{when}?", "", message_from), tell)


def message_from(text: str) -> str:
    """Read what is to be told.

    Raises:
        BadInput: it is too long.
    """
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"these are {len(text)} characters: say it in {LONGEST_TEXT}, or twice")
    return text
