"""The dialog to choose an answer to a lesson's question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.panel import Panel

BESIDES = 3
"""Rows in addition to the question and the answers: the border, and an empty row."""

WIDTH = 74


class LessonChoiceScreen(Dialog[str | None]):
    """Answers to choose from; the result is the chosen one, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", tooltip="Go back to the bench without an answer."),
        Binding("enter", "choose", "answer", tooltip="Give the chosen answer."),
        Binding("up,k", "walk(-1)", "up", tooltip="Choose the answer above."),
        Binding("down,j", "walk(1)", "down", tooltip="Choose the answer below."),
    ]
    DEFAULT_CSS = """
    LessonChoiceScreen { align: center middle; }
    LessonChoiceScreen > Vertical {
        width: 78; max-height: 100%; border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, question: str, answers: Sequence[str]) -> None:
        """Show a question and its answers.

        Args:
            question: The question.
            answers: The answers, in the order in which they are shown.
        """
        super().__init__()
        self._answers = answers
        self._list = _AnswerList(question, answers)
        self._rows = len(wrapped(question, WIDTH)) + len(answers)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.styles.height = self._rows + BESIDES
            box.border_title = "lesson"
            box.border_subtitle = "arrows: choose   Enter: answer   Esc: cancel"
            yield self._list

    def action_choose(self) -> None:
        """Close with the chosen answer."""
        self.dismiss(self._answers[self._list.at])

    def action_walk(self, steps: int) -> None:
        """Choose another answer."""
        self._list.walk(steps)


class _AnswerList(Panel):
    """The question, and the answers below it."""

    DEFAULT_CSS = "_AnswerList { height: 1fr; }"

    def __init__(self, question: str, answers: Sequence[str]) -> None:
        super().__init__()
        self._question, self._answers, self.at = question, answers, 0

    def walk(self, steps: int) -> None:
        self.at = min(max(self.at + steps, 0), len(self._answers) - 1)
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        rows = [
            line(Span(f"{'>' if at == self.at else ' '} {answer}", "key" if at == self.at else ""))
            for at, answer in enumerate(self._answers)
        ]
        return [*wrapped(self._question, width, "title"), line(""), *rows]
