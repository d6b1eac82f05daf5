"""The built-in lessons, in the order in which one learns, and the lessons in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput
from gradstep.lessons.lesson_error import LessonError
from gradstep.lessons.lesson_file import read_lesson
from gradstep.lessons.lesson_parts import LessonFile
from gradstep.loop.literals import unknown

FOLDER: Final = Path(__file__).parent / "built_in"
ENDING: Final = ".md"

LADDERS: Final = {
    "compute": ("local-times-upstream", "two-paths", "leaves-keep", "cut", "dead"),
    "accumulate": (
        *("old-plus-new", "where-to-clean", "zero-or-none"),
        *("two-kinds-of-sum", "sum-or-mean", "the-short-part"),
    ),
    "move": (
        *("slope-is-not-step", "the-limit", "saved-numbers", "a-new-name"),
        *("adams-first-step", "moving-without-slope"),
    ),
    "trap": (
        *("once-only", "too-many-errors", "softmax-twice"),
        *("carried-on", "left-out", "clip-first", "still-in-eval"),
    ),
}
"""Ids of the built-in lessons, easiest first, by their ladder."""

LADDER_OF: Final = {lesson: ladder for ladder, lessons in LADDERS.items() for lesson in lessons}


def lesson_ids() -> tuple[str, ...]:
    """Return the ids of the built-in lessons, by ladder."""
    return tuple(LADDER_OF)


@cache
def built_in_lesson(lesson_id: str) -> LessonFile:
    """Return a built-in lesson.

    Raises:
        BadInput: There is none with this id; the message lists those that there are.
    """
    found = lesson_id.replace("_", "-")
    if found not in LADDER_OF:
        raise BadInput(unknown("lesson", lesson_id, lesson_ids()))
    return read_lesson(FOLDER / f"{found}{ENDING}")


def built_in_lessons() -> tuple[LessonFile, ...]:
    """Return all built-in lessons, by ladder."""
    return tuple(map(built_in_lesson, lesson_ids()))


def lessons_in(folder: Path) -> Iterator[LessonFile | LessonError]:
    """Yield each lesson of a folder, by file name, or what is wrong with its file; an id counts once."""
    known = set[str]()
    for path in sorted(folder.glob(f"*{ENDING}")):
        try:
            lesson = read_lesson(path)
        except LessonError as error:
            yield error
            continue
        if lesson.id in known:
            line = lesson.front_toml.line_of("id")
            yield LessonError(path, line, f"another file of this folder has the id {lesson.id} as well")
        else:
            known.add(lesson.id)
            yield lesson
