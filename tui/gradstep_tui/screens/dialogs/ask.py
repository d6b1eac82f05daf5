"""A dialog that asks for a value, and says below the field what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from gradstep.errors import BadInput
from gradstep_tui.screens.dialogs.dialog import Dialog, Value
from gradstep_tui.screens.dialogs.field import Field


class AskScreen(Dialog[Value | None], Generic[Value]):
    """A question with a field; the result is the value of the text or of the default, None after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "cancel", tooltip="Go back to the bench without a change."),
        Binding("enter", "submit", "OK", tooltip="Answer with the text of the field."),
    ]
    DEFAULT_CSS = """
    AskScreen { align: center middle; }
    AskScreen > Vertical {
        width: 70; height: auto; border: round $text-primary; background: $background; padding: 0 1;
    }
    AskScreen Label { width: 100%; }
    AskScreen #wrong { color: $text-error; text-style: bold; height: auto; min-height: 1; }
    AskScreen .hint { color: $text; text-style: dim; }
    """

    def __init__(self, question: str, default: str, read: Callable[[str], Value], note: str = "") -> None:
        """Ask a question.

        Args:
            question: The question.
            default: Text that is used if the field is empty.
            read: Returns the value for a text, or raises `BadInput`.
            note: Sentence below the field; empty for none.
        """
        super().__init__()
        self._question = question
        self._default = default
        self._read = read
        self._note = note

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical():
            yield Label(self._question)
            yield Field(placeholder=self._default, select_on_focus=False, compact=True)
            if self._note:
                yield Label(self._note, markup=False)
            yield Label("", id="wrong", markup=False)
            yield Label("Enter: OK   Esc: cancel", classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Remove what was said about an earlier text."""
        self.query_one("#wrong", Label).update("")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the value, or say what is wrong with it; the field keeps its text."""
        try:
            value = self._read(event.value if event.value.strip() else self._default)
        except BadInput as wrong:
            self.query_one("#wrong", Label).update(str(wrong))
            await self.field.reject()
        else:
            self.dismiss(value)
            self.field.hand_over()

    @property
    def field(self) -> Field:
        """The field for the answer."""
        return self.query_one(Field)

    async def action_submit(self) -> None:
        """Answer as Enter in the field does: for a double click on a list."""
        await self.field.take(events.Key("enter", None))

    def action_leave(self) -> None:
        """Close without a value."""
        self.dismiss(None)
