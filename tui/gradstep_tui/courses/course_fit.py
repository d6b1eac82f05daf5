"""Whether the texts of a lesson fit on the smallest screen: few rows below each other, beside the bench."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.lessons.lesson_error import LessonError
from gradstep_tui.courses.course_words import check_texts, filled

if TYPE_CHECKING:
    from gradstep.lessons.lesson_parts import LessonFile

WIDTH: Final = 78
"""Cells of a row of text in a terminal of 80 columns."""

MOST_ROWS: Final = {
    **{"text": 4, "ask": 2, "hint": 2, "then": 4, "slip": 2, "because": 2, "answer": 1, "ending": 4},
    **{"title": 1, "idea": 2},
}
"""Rows of an 80-column terminal that each kind of text may take; two are shown at a time."""

LONGEST_TITLE: Final = 30
LONGEST_ANSWER: Final = 66


def misfits(lesson: LessonFile) -> Iterator[LessonError]:
    """Yield what is wrong with each text that does not fit, or that names a key that there is not."""
    for kind, text, line in _texts(lesson):
        try:
            shown = filled(check_texts(text))
        except BadInput as wrong:
            yield LessonError(lesson.path, line, str(wrong))
            continue
        most = {"title": LONGEST_TITLE, "answer": LONGEST_ANSWER}.get(kind)
        if most is not None and len(shown) > most:
            yield LessonError(
                lesson.path, line, f"this {kind} has {len(shown)} characters: at most {most} fit"
            )
        rows = len(wrap(shown, WIDTH))
        if rows > MOST_ROWS[kind]:
            fit = f"at most {MOST_ROWS[kind]} fit into 80 columns, about {MOST_ROWS[kind] * 75} characters"
            yield LessonError(lesson.path, line, f"this text ({kind}) takes {rows} rows: {fit}")


def _texts(lesson: LessonFile) -> Iterator[tuple[str, str, int]]:
    line_of = lesson.front_toml.line_of
    yield "title", lesson.title, line_of("title")
    yield "idea", lesson.front.idea, line_of("idea")
    for step in lesson.steps:
        yield from step.texts()
    yield from (("ending", text, lesson.ending_line) for text in lesson.ending.split("\n") if text)
