"""A dialog with a question to answer by yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from gradstep_tui.screens.dialogs.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """A question; the result is True after Enter or y, False after Escape or n."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "answer(True)", "yes", tooltip="Answer yes."),
        Binding("escape,n", "answer(False)", "no", tooltip="Answer no."),
    ]
    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen > Vertical {
        width: 70; height: auto; border: round $text-primary; background: $background; padding: 0 1;
    }
    ConfirmScreen Label { width: 100%; }
    ConfirmScreen .hint { color: $text; text-style: dim; }
    """

    def __init__(self, title: str, texts: Sequence[str], hint: str) -> None:
        """Ask a question.

        Args:
            title: Title of the dialog.
            texts: Paragraphs of the question.
            hint: Line that says what each answer does.
        """
        super().__init__()
        self._title = title
        self._texts = texts
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = self._title
            for text in self._texts:
                yield Label(text, markup=False)
            yield Label(self._hint, markup=False, classes="hint")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
