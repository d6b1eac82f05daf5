"""The instructor's board: one row for each learner of the class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import var
from textual.screen import Screen

from gradstep.errors import BadInput
from gradstep_tui.key import Key
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.help.help_sections import HelpRow, HelpSection, key_row
from gradstep_tui.screens.help.key_table import HelpScreen, open_manual
from gradstep_tui.text.remarks import NOTHING, Remark, hint, success
from gradstep_tui.widgets.keybar import KeyBar
from gradstep_tui.workshop.bench.screens.ssh_keys import SshKeysScreen, learner_key_texts
from gradstep_tui.workshop.bench.widgets.board_table import BoardTable
from gradstep_tui.workshop.wire.messages import LONGEST_TEXT, ForgetKeys, LowerHand, Row, Tell

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.server_link import ServerLink

KEYS: Final = (
    Key("walk(-1)", "up,k", "↑", "up", "Choose the learner above; PgUp goes ten up, Home to the first.", 1),
    Key(
        "walk(1)", "down,j", "↓", "down", "Choose the learner below; PgDn goes ten down, End to the last.", 1
    ),
    Key("watch", "enter", "Enter", "watch", "Watch the chosen learner's bench, live.", 10),
    Key("lower_hand", "exclamation_mark", "!", "help came", "Lower the chosen learner's hand.", 6),
    Key("tell_one", "at", "@", "tell", "Send a message to the chosen learner.", 7),
    Key("tell_all", "asterisk", "*", "tell all", "Send a message to everybody.", 7),
    Key("keys", "f8", "F8", "keys", "Show which SSH keys log in as the chosen learner; forget them.", 3),
    Key("present", "f6", "F6", "present", "Show the class your own bench, or stop.", 9),
    Key("own", "f2,escape", "F2", "own bench", "Go to your own bench; F2 comes back here.", 9),
    Key("sort", "tab", "Tab", "sort", "Sort by hands and waiting, by name, by epochs, by loss.", 5),
    Key("filter", "slash", "/", "filter", "Show only some: by name, problem, hand, error, ...", 5),
    Key("manual", "f1", "F1", "manual", "Open the manual.", 1),
    Key("help", "question_mark", "?", "help", "Show what every key does.", 10),
    Key("leave", "q", "q", "leave", "Leave the workshop.", 8),
)
"""The board's keys; the ids are the names of its actions."""

HELP: Final = (
    HelpSection(
        "signs before a name",
        (
            HelpRow("!", "the learner's hand is up; the hand that was raised first comes first"),
            HelpRow("x", "PyTorch refused the last action"),
            HelpRow("w", "somebody is watching"),
            HelpRow("-", "the learner does not want to be watched at the moment"),
            HelpRow("f", "the learner follows what you present"),
        ),
    ),
    HelpSection("keys of the board", tuple(map(key_row, KEYS))),
    HelpSection(
        "words",
        (
            HelpRow("curve", "the losses of all epochs"),
            HelpRow("idle", "time since the last action"),
            HelpRow("filter", "searches names, problems, last actions; knows hand, error, away,"),
            HelpRow("", "watched, not watchable, follows, and e.g. no accumulation: learners"),
            HelpRow("", "who have not seen it yet"),
        ),
    ),
)

EVERY: Final = 5.0
"""Seconds between two redraws of the idle times."""

FILTER_QUESTION: Final = "Show whom? A name, problem, hand, error, away, no accumulation; nothing: all"


class BoardScreen(Screen[None]):
    """The board, as a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.keys, key.id, key.label, key_display=key.sign, tooltip=key.tooltip) for key in KEYS),
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
    notice: var[Remark] = var(NOTHING)

    def __init__(
        self,
        link: ServerLink,
        *,
        watch: Callable[[str], None],
        present: Callable[[], None],
        host_key: str = "",
    ) -> None:
        """Begin without rows; the server sends them.

        Args:
            link: Connection to the server.
            watch: Opens the bench of a learner, by name.
            present: Presents the instructor's own bench to the class, or stops presenting it.
            host_key: Fingerprint of the server's key; empty if it is unknown.
        """
        super().__init__()
        self._link, self._watch, self._present = link, watch, present
        self.table = BoardTable(KEYS, host_key=host_key)

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        with Vertical():
            yield self.table

    def on_mount(self) -> None:
        """Start the timer that redraws the idle times."""
        self.set_interval(EVERY, self.table.redraw)

    def watch_notice(self, notice: Remark) -> None:
        """Show the changed notice below the table of learners."""
        self.table.notice = notice
        self.table.redraw()

    @property
    def following(self) -> int:
        """Number of learners who follow what is presented."""
        return self.table.following

    def learn(self, rows: Sequence[Row]) -> None:
        """Draw rows that have changed."""
        self.table.learn(rows)

    def forget(self, names: Sequence[str]) -> None:
        """Draw the board without the rows of learners who are not in the class any more."""
        self.table.forget(names)

    def present(self, presenter: str, *, own: bool) -> None:
        """Show who presents.

        Args:
            presenter: Name of the presenter; empty for nobody.
            own: Whether this instructor is the presenter.
        """
        self.table.present(presenter, own=own)

    # Keys

    async def on_key_bar_clicked(self, message: KeyBar.Clicked) -> None:
        """Do what the key of a clicked entry does."""
        message.stop()
        await self.run_action(message.key_id)

    def action_walk(self, steps: int) -> None:
        """Choose the learner so many rows below, or above if `steps` is negative."""
        self.table.walk(steps)

    def action_watch(self) -> None:
        """Watch the chosen learner."""
        if self.table.chosen:
            self._watch(self.table.chosen)

    def action_present(self) -> None:
        """Present the own bench to the class, or stop presenting it."""
        self._present()

    def action_tell_one(self) -> None:
        """Ask for a message to the chosen learner."""
        if self.table.chosen:
            self._ask_message(self.table.chosen)

    def action_tell_all(self) -> None:
        """Ask for a message to everybody."""
        self._ask_message("")

    def action_lower_hand(self) -> None:
        """Lower the chosen learner's hand."""
        name = self.table.chosen
        row = self.table.row(name)
        if row is not None and row.hand:
            self._link.send(LowerHand(name))
            self.notice = success(f"{name}'s hand is down")
        elif row is not None:
            self.notice = hint(f"{name}'s hand is not up")

    def action_keys(self) -> None:
        """Show which SSH keys log in as the chosen learner."""
        name = self.table.chosen
        row = self.table.row(name)
        if row is not None:

            def forget() -> None:
                self._link.send(ForgetKeys(name))
                self.notice = success(f"no SSH key logs in as {name} any more")

            texts = learner_key_texts(name, row.keys)
            self.app.push_screen(SshKeysScreen(f"keys of {name}", texts, forget if row.keys else None))

    def action_sort(self) -> None:
        """Sort in the next way."""
        self.notice = success(f"sorted by {self.table.sort()}")

    def action_filter(self) -> None:
        """Ask for a filter."""

        def show(text: str | None) -> None:
            if text is not None:
                self.table.only(text)

        self.app.push_screen(AskScreen(FILTER_QUESTION, "", str.strip), show)

    def action_own(self) -> None:
        """Go to the own bench."""
        if self.is_current:
            self.app.pop_screen()

    def action_manual(self) -> None:
        """Open the manual."""
        open_manual(self.app)

    def action_help(self) -> None:
        """Show the keys and the signs."""
        self.app.push_screen(HelpScreen(HELP))

    def action_leave(self) -> None:
        """Leave the workshop."""
        self.app.exit()

    def _ask_message(self, to: str) -> None:
        """Ask for a message to a learner, or to everybody if `to` is empty, and send it."""
        row = self.table.row(to)
        away = row is not None and not row.online
        if not to:
            question = "Message to everybody?"
        else:
            question = (
                f"Message to {to}, who is away and will read it later?" if away else f"Message to {to}?"
            )

        def send(text: str | None) -> None:
            if text:
                self._link.send(Tell(text, to))
                self.notice = success(self._sent_text(text, to, away))

        self.app.push_screen(AskScreen(question, "", checked_message), send)

    def _sent_text(self, text: str, to: str, away: bool) -> str:
        if not to:
            return f"sent to all {self.table.online} who are here: {text}"
        return f"{to} will read this at the next login: {text}" if away else f"sent to {to}: {text}"


def checked_message(text: str) -> str:
    """Return a message without the blanks around it.

    Raises:
        BadInput: the message is too long.
    """
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise BadInput(
            f"the message has {len(text)} characters: shorten it to {LONGEST_TEXT}, or send two messages"
        )
    return text
