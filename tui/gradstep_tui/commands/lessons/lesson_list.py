"""`gradstep learn` without a lesson: the list, and forgetting what was done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.lessons.lesson_parsers import LEARN
from gradstep_tui.commands.parsers import complain
from gradstep_tui.courses.course_words import LADDER_NAMES, done_text, steps_text
from gradstep_tui.courses.lesson_rows import listed_lessons

if TYPE_CHECKING:
    from gradstep.lessons.lesson_progress import LessonProgress


def list_lessons(progress: LessonProgress) -> int:
    """Print the lessons with what was done in each, and return the exit code."""
    try:
        for text in lesson_texts(progress):
            print(text, flush=True)
    except OSError as error:
        return stop_writing(error, LEARN)
    return 0


def lesson_texts(
    progress: LessonProgress | None, learner: str = "", how: str = "gradstep learn"
) -> Iterator[str]:
    """Yield the lines of the list: four ladders, and in each the easiest lesson first.

    Args:
        progress: What was done; None for nothing.
        learner: Name under which progress is kept; empty at home.
        how: Words before a lesson's id that begin it.
    """
    listed, before = [*listed_lessons(progress, learner)], None
    wide = max(len(one.lesson.id) for one in listed)
    for ladder, lesson, records in listed:
        if ladder != before:
            yield LADDER_NAMES[ladder]
        before, done = ladder, done_text(records)
        yield f"  {lesson.id:<{wide}}  {steps_text(records):<8} {done or lesson.front.idea}"
    yield f"Take one with {how} and its name, e.g. {how} old-plus-new."
    if progress is not None and progress.trouble:
        yield f"warning: {progress.trouble}"


def reset_progress(progress: LessonProgress, lesson: str | None, *, yes: bool) -> int:
    """Forget what was done in a lesson, in all for None, if the learner agrees; return the exit code."""
    what = "in all lessons" if lesson is None else f"in {lesson}"
    if not yes:
        if not sys.stdin.isatty():
            wrong = f"this forgets what you did {what}: run it in a terminal, which asks first, or add --yes"
            return complain(wrong, LEARN, hint=False)
        if not _agreed(f"Forget what you did {what}, for good? [y/N] "):
            print("nothing is forgotten")
            return 0
    progress.reset(lesson)
    if progress.trouble:
        return complain(progress.trouble, LEARN, hint=False)
    print(f"what you did {what} is forgotten")
    return 0


def _agreed(question: str) -> bool:
    with suppress(EOFError, KeyboardInterrupt):
        return input(question).strip().casefold() in ("y", "yes")
    return False
