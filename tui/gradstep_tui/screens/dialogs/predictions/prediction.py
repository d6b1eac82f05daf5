"""The dialog that asks what comes next, before it is shown."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from gradstep.errors import BadInput
from gradstep.predictions.judging import read_reply
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.screens.dialogs.field import Field
from gradstep_tui.text.predictions.question_texts import accepted_text, help_texts, question_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.predictions.exercise import Exercise


class Other(Enum):
    """Wish for another question."""

    QUESTION = "question"


HINT: Final = "Enter: answer, and it runs   Tab: another question   Esc: not now"


class PredictionScreen(Dialog[str | Other | None]):
    """A question about what comes next; the result is the answer as typed, a wish for another, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "not now", tooltip="Go back to the bench; nothing has run."),
        Binding("tab", "another", "another", tooltip="Ask about another number.", priority=True),
    ]
    DEFAULT_CSS = """
    PredictionScreen { align: center middle; }
    PredictionScreen > Vertical {
        width: 76; height: auto; border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, exercise: Exercise, frame: Frame) -> None:
        """Ask a question.

        Args:
            exercise: The question with its help.
            frame: Frame of the session in which it is asked.
        """
        super().__init__()
        self._exercise, self._frame = exercise, frame

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "predict"
            question = Content.styled(question_text(self._exercise, self._frame), "bold")
            helps = [Content(text) for text in help_texts(self._exercise, self._frame)]
            yield Static(Content("\n").join([question, *helps]))  # few widgets: each takes its time to appear
            yield Field(select_on_focus=False, compact=True)
            yield Static(self._below(Content.styled(accepted_text(self._exercise), "dim")))

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the answer, or say what is accepted; the field keeps its text."""
        try:
            read_reply(event.value, self._exercise.question.target.asked)
        except BadInput as wrong:
            said = Content.styled(str(wrong), "bold $text-error")
            self.query(Static).last().update(self._below(said))
            await self.query_one(Field).reject()
        else:
            self.dismiss(event.value)
            self.query_one(Field).hand_over()

    @staticmethod
    def _below(said: Content) -> Content:
        """Return what stands below the field: what is accepted or wrong, and the keys."""
        return Content("\n").join([said, Content.styled(HINT, "dim")])

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def action_another(self) -> None:
        """Ask for another question."""
        self.dismiss(Other.QUESTION)
