"""Lines of text over the bench."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from gradstep_tui.screens.dialogs.dialog import Dialog


class TextScreen(Dialog[None]):
    """Text to scroll through. Any of Esc, q, Enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench.")
    ]
    DEFAULT_CSS = """
    TextScreen { align: center middle; }
    TextScreen > VerticalScroll {
        width: 96%; max-width: 120; height: auto; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, title: str, texts: Sequence[str], hint: str = "", *, at_end: bool = False) -> None:
        """Show text.

        Args:
            title: What it is.
            texts: Its lines; long ones are wrapped.
            hint: What there is to say besides how to close it.
            at_end: Whether to begin with the last line in view.
        """
        super().__init__()
        self._title = title
        self._texts = texts
        self._hint = hint
        self._at_end = at_end

    def compose(self) -> ComposeResult:
        """Lay the text out."""
        with VerticalScroll(can_focus=True) as scroll:
            scroll.border_title = self._title
            scroll.border_subtitle = f"{self._hint}Esc closes, arrows scroll"
            yield Static("\n".join(self._texts), markup=False)

    def on_mount(self) -> None:
        """Take the keys, and go to the end where that is wanted."""
        scroll = self.query_one(VerticalScroll)
        scroll.focus()
        if self._at_end:
            scroll.scroll_end(animate=False)
