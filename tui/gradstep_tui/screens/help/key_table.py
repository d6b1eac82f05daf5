"""The dialog that lists every key, and filters the list as one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.reactive import var
from textual.widgets import Static

from gradstep_tui.bindings import like
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.screens.help.help_sections import HelpSection, matching

NARROWEST: Final = 8
"""Cells for the signs of a section, at least."""

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
        width: 80; max-width: 100%; height: 100%; max-height: 70;
        border: round $text-primary; background: $background; padding: 0 1;
    }
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
            yield Static(help_text(self._sections))

    def watch_wanted(self) -> None:
        """Show the rows that are wanted."""
        if not self.is_mounted:
            return
        wanted, box = self.wanted, self.query_one(VerticalScroll)
        box.border_title = f"keys with: {wanted}" if wanted else "keys"
        box.border_subtitle = FILTERED if wanted else HINT
        box.scroll_home(animate=False)
        self.query_one(Static).update(help_text(matching(self._sections, wanted), wanted))

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


def help_text(sections: Sequence[HelpSection], wanted: str = "") -> Text:
    """Return sections as text, a line for each row; a sentence if there is no row with the wanted words."""
    if not sections:
        return Text(f" No key, sign or word here has {wanted!r}: Backspace takes a letter back.")
    text = Text()
    for number, section in enumerate(sections):
        text.append("\n" * bool(number))
        text.append(f" {section.title}\n", "bold underline")
        wide = max([NARROWEST, *(len(row.sign) for row in section.rows)])
        for row in section.rows:
            text.append(f" {row.sign:<{wide}} ", "bold")
            text.append(f"{row.text}\n")
    text.right_crop(1)
    return text
