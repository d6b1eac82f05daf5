"""The dialog that lists every key, and filters the list as one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.reactive import var
from textual.widgets import Static

from gradstep_tui.bindings import like
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.screens.help.help_sections import HelpSection, matching
from gradstep_tui.screens.help.help_text import help_text

WIDE: Final = 116
"""Columns of the screen from which the list uses its whole width."""

NARROW: Final = 80
WIDEST: Final = 170
"""Largest width of the box, on a narrow and on a wide screen."""

BESIDE: Final = 6
"""Columns of the box beside the text: its border, an empty column on each side, and the scroll bar."""

LONGEST: Final = 40
"""Largest number of characters of a filter."""

HINT: Final = "type: filter   arrows: scroll   F1: manual   Esc: close"
FILTERED: Final = "Backspace: a letter back   arrows: scroll   Esc: all keys"


class HelpScreen(Dialog[None]):
    """The list of keys and signs. Esc, q, ? and Enter close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "close", tooltip="Show all keys again, or go back to the bench."),
        Binding("enter", "dismiss", "close", tooltip="Go back to the bench."),
        Binding("q", "close_or_type('q')", "close", tooltip="Go back to the bench."),
        like("help", "close_or_type('?')"),
        like("manual", "manual", "Open the manual instead."),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 100%; max-width: 80; height: auto; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    HelpScreen.-wide > VerticalScroll { max-width: 170; height: auto; max-height: 100%; }
    """

    wanted: var[str] = var("")
    """Words that the rows must have; empty to show all rows."""

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        """Show the list of `sections`."""
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with VerticalScroll(can_focus=True) as box:
            box.border_title, box.border_subtitle = "keys", HINT
            yield Static()

    def on_resize(self, event: events.Resize) -> None:
        """Use the width: from `WIDE` columns on, the list has two columns."""
        self.set_class(event.size.width >= WIDE, "-wide")
        self._show()

    def watch_wanted(self) -> None:
        """Show the rows that are wanted."""
        if not self.is_mounted:
            return
        wanted, box = self.wanted, self.query_one(VerticalScroll)
        box.border_title = f"keys with: {wanted}" if wanted else "keys"
        box.border_subtitle = FILTERED if wanted else HINT
        box.scroll_home(animate=False)
        self._show()

    def _show(self) -> None:
        width = min(self.size.width, WIDEST if self.has_class("-wide") else NARROW) - BESIDE
        shown = matching(self._sections, self.wanted)
        self.query_one(Static).update(help_text(shown, width, self.wanted))

    def on_key(self, event: events.Key) -> None:
        """Add a typed character to the filter, or take the last one back."""
        if event.key == "backspace":
            self.wanted = self.wanted[:-1]
        elif event.character is not None and event.is_printable and event.key not in ("q", "question_mark"):
            self.action_type(event.character)
        else:
            return
        event.stop()

    def action_type(self, character: str) -> None:
        """Add a character to the filter; a blank or a slash does not begin one."""
        if self.wanted or character not in " /":
            self.wanted = f"{self.wanted}{character}"[:LONGEST]

    def action_close_or_type(self, character: str) -> None:
        """Go back to the bench, or add the key's character to a filter."""
        if self.wanted:
            self.action_type(character)
        else:
            self.dismiss()

    def action_back(self) -> None:
        """Show all rows again, or go back to the bench if they are all shown."""
        if self.wanted:
            self.wanted = ""
        else:
            self.dismiss()

    def action_manual(self) -> None:
        """Go on to the manual."""
        self.dismiss()
        open_manual(self.app)


def open_manual(app: App[object]) -> None:
    """Open the manual; its screen and the Markdown parser are imported only now."""
    from gradstep_tui.screens.help.manual import ManualScreen

    app.push_screen(ManualScreen())
