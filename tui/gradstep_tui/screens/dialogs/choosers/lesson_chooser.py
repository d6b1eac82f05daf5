"""The dialog to choose a lesson: four ladders, with what was done in each lesson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.panel import Panel

FULL: Final = 2
"""Number of rows for the idea of the chosen lesson."""

BESIDES: Final = FULL + 3
"""Number of rows in addition to the list: the idea, an empty row, and the border."""


class LessonRow(NamedTuple):
    """A lesson in the list, or a heading, which has no id."""

    id: str
    title: str
    steps: str = ""
    """A sign for each step."""

    done: str = ""
    """How far it is, in words."""

    idea: str = ""


class LessonsScreen(Dialog[str | None]):
    """A list of lessons; the result is the id of the chosen one, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", tooltip="Go back to the bench without a change."),
        like("lessons", tooltip="Go back to the bench without a change."),
        Binding("enter", "choose", "begin", tooltip="Begin the chosen lesson."),
        Binding("up,k", "walk(-1)", "up", tooltip="Choose the lesson above."),
        Binding("down,j", "walk(1)", "down", tooltip="Choose the lesson below."),
        Binding("home", "walk(-1000)", "first", tooltip="Choose the first lesson."),
        Binding("end", "walk(1000)", "last", tooltip="Choose the last lesson."),
    ]
    DEFAULT_CSS = """
    LessonsScreen { align: center middle; }
    LessonsScreen > Vertical {
        width: 100%; max-width: 100; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, rows: Sequence[LessonRow], at: str = "") -> None:
        """Show lessons.

        Args:
            rows: Headings and lessons.
            at: Id of the lesson that is chosen first; empty for the first one.
        """
        super().__init__()
        self._rows = rows
        self._list = _LessonList(rows, at)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.styles.height = len(self._rows) + BESIDES
            box.border_title = "lessons"
            box.border_subtitle = "arrows: choose   Enter: begin, or go on   Esc: cancel"
            yield self._list

    def action_choose(self) -> None:
        """Close with the chosen lesson."""
        self.dismiss(self._list.chosen.id)

    def action_walk(self, steps: int) -> None:
        """Choose another lesson."""
        self._list.walk(steps)


class _LessonList(Panel):
    """Headings and titles, with the chosen lesson's idea below."""

    DEFAULT_CSS = "_LessonList { height: 1fr; }"

    def __init__(self, rows: Sequence[LessonRow], at: str) -> None:
        super().__init__()
        self._rows = rows
        self._places = [place for place, row in enumerate(rows) if row.id]
        ids = [rows[place].id for place in self._places]
        self._at = ids.index(at) if at in ids else 0

    @property
    def chosen(self) -> LessonRow:
        return self._rows[self._places[self._at]]

    def walk(self, steps: int) -> None:
        self._at = min(max(self._at + steps, 0), len(self._places) - 1)
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        return lesson_lines(self._rows, self._places[self._at], width, height)


def lesson_lines(rows: Sequence[LessonRow], at: int, width: int, height: int) -> list[Line]:
    """Return the lines of the list around the chosen lesson, which is marked by `>`.

    Args:
        rows: Headings and lessons.
        at: Index of the chosen lesson.
        width: Width of a line, in cells.
        height: Number of lines that fit.
    """
    room = max(height - 1 - FULL, 1)
    top = min(max(at - room // 2, 0), max(len(rows) - room, 0))
    wide = max(len(row.title) for row in rows if row.id)
    shown = [_row_line(row, wide, is_chosen=place == at) for place, row in enumerate(rows)][top : top + room]
    return [*shown, line(""), *wrapped(rows[at].idea, width, "dim", FULL)]


def _row_line(row: LessonRow, wide: int, *, is_chosen: bool) -> Line:
    if not row.id:
        return line(Span(row.title, "title"))
    title = Span(f"{'>' if is_chosen else ' '} {row.title:<{wide}}  ", "key" if is_chosen else "")
    return line(title, Span(f"{row.steps:<9}  ", "label"), Span(row.done, "mark"))
