"""The lessons with what was done in each: for the list on the bench, and for `gradstep learn`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gradstep.lessons.course import StepProgress
from gradstep.lessons.lesson_library import LADDERS, built_in_lesson

if TYPE_CHECKING:
    from gradstep.lessons.lesson_parts import LessonFile
    from gradstep.lessons.lesson_progress import LessonProgress


class ListedLesson(NamedTuple):
    """A lesson and what was done in it."""

    ladder: str
    lesson: LessonFile
    records: tuple[StepProgress, ...]
    """One for each step."""


def listed_lessons(progress: LessonProgress | None, learner: str = "") -> Iterator[ListedLesson]:
    """Yield the built-in lessons, by ladder.

    Args:
        progress: What was done; None for nothing.
        learner: Name under which progress is kept; empty at home.
    """
    for ladder, ids in LADDERS.items():
        for lesson_id in ids:
            lesson = built_in_lesson(lesson_id)
            yield ListedLesson(ladder, lesson, records_of(lesson, progress, learner))


def records_of(
    lesson: LessonFile, progress: LessonProgress | None, learner: str = ""
) -> tuple[StepProgress, ...]:
    """Return what was done in each step of a lesson."""
    known = {} if progress is None else progress.of(lesson.id, learner)
    return tuple(known.get(step.id, StepProgress()) for step in lesson.steps)
