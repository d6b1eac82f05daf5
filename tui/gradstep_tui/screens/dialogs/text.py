"""A dialog with text to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from gradstep_tui.screens.dialogs.dialog import Dialog


class TextScreen(Dialog[None]):
    """Text to scroll through. Esc, q and Enter close it."""

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
            title: Title of the dialog.
            texts: Lines of the text; long lines are wrapped.
            hint: Beginning of the line at the bottom, before the keys that close and scroll.
            at_end: Whether the end is visible first, instead of the beginning.
        """
        super().__init__()
        self._title = title
        self._texts = texts
        self._hint = hint
        self._at_end = at_end

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with VerticalScroll(can_focus=True) as scroll:
            scroll.border_title = self._title
            scroll.border_subtitle = f"{self._hint}Esc: close   arrows: scroll"
            yield Static("\n".join(self._texts), markup=False)

    def on_mount(self) -> None:
        """Focus the text, and scroll to its end if asked for."""
        scroll = self.query_one(VerticalScroll)
        scroll.focus()
        if self._at_end:
            scroll.scroll_end(animate=False)
