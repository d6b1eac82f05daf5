"""The pane of the lesson: the present step's texts, a page of two rows or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.reactive import var

from gradstep_tui.courses.course_pieces import key_texts
from gradstep_tui.courses.course_words import where_text
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.widgets.course.course_lines import ROWS, page_lines, pages, whole_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.lessons.course import Course


class CoursePanel(Panel):
    """The present step of a lesson under way; empty without a lesson."""

    opens: ClassVar[str] = "lesson"

    course: var[Course | None] = var(None)
    page: var[int] = var(0)
    """Page that is shown, counted from 0; without meaning if all texts fit."""

    away: var[bool] = var(False)
    """Whether the session stands elsewhere than the lesson."""

    def title_text(self) -> str:
        """Return the lesson and its step, and in few rows the keys that make sense now."""
        if self.course is None:
            return ""
        where = where_text(self.course)
        return where if self._is_tall else f"{where}: {', '.join(self._keys)}"

    @property
    def _keys(self) -> list[str]:
        assert self.course is not None
        return key_texts(self.course, is_last=self.page + 1 >= self.count, away=self.away)

    @property
    def _is_tall(self) -> bool:
        return self.size.height > ROWS + 1

    @property
    def count(self) -> int:
        """Number of pages that the present step takes here."""
        if self.course is None or self._is_tall:
            return 1
        return len(pages(self.course, self._width))

    @property
    def _width(self) -> int:
        return max(self.size.width - 2, 1)

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the rows of a page, or as many texts as fit with the keys below them."""
        if self.course is None:
            return []
        if self._is_tall:
            keys = [line(Span(f" {key}", "dim")) for key in self._keys]
            rows = whole_lines(self.course, self._width, height - len(keys) - 1)
            return [*(line(" ", *row) for row in rows), line(""), *keys]
        return [line(" ", *row) for row in page_lines(pages(self.course, self._width), self.page)]

    def watch_course(self) -> None:
        """Draw the new state of the lesson."""
        self.redraw()

    def watch_page(self) -> None:
        """Draw another page."""
        self.redraw()

    def watch_away(self) -> None:
        """Draw the keys that make sense now."""
        self.redraw()
