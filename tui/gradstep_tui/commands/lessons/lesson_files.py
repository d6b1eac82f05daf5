"""`gradstep lesson new` and `gradstep lesson check`: lesson files of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep.lessons.lesson_blocks import ID
from gradstep.lessons.lesson_error import LessonError
from gradstep.lessons.lesson_file import read_lesson
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.lessons.lesson_parsers import LESSON
from gradstep_tui.commands.parsers import complain
from gradstep_tui.courses.course_fit import misfits
from gradstep_tui.courses.course_words import reply_text
from gradstep_tui.courses.lesson_template import TEMPLATE

if TYPE_CHECKING:
    from gradstep.lessons.checking import CheckedStep
    from gradstep.lessons.lesson_parts import LessonFile

INTERRUPTED: Final = 130


def new_lesson(path: Path) -> int:
    """Write a lesson file with comments, and return the exit code; no file is replaced."""
    name = path.stem.casefold().replace("_", "-")
    lesson_id = name if ID.fullmatch(name) else "my-lesson"
    text = TEMPLATE.format(id=lesson_id, title=lesson_id.replace("-", " ").capitalize())
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return complain(f"{path}: this file exists already; choose another name", LESSON, hint=False)
    except (OSError, ValueError) as error:
        return complain(f"{path}: cannot be written: {getattr(error, 'strerror', error)}", LESSON, hint=False)
    return _print([f"wrote {path}: change it, then run gradstep lesson check {path}"])


def check_lesson_file(path: Path) -> int:
    """Take a lesson by its solutions, print what is found, and return the exit code."""
    from gradstep.lessons.checking import check_lesson

    try:
        lesson = read_lesson(path)
        wrong = [*misfits(lesson)]
        if wrong:
            return _complain_of(wrong)
        for checked in check_lesson(lesson):
            if code := _print(_checked_texts(checked)):
                return code
    except LessonError as error:
        return _complain_of([error])
    except EngineError as error:
        return _complain_of([LessonError(path, 1, str(error))])
    except KeyboardInterrupt:
        return INTERRUPTED
    return _print([_summary(lesson)])


def _summary(lesson: LessonFile) -> str:
    steps = len(lesson.steps)
    return f"{lesson.id} is in order: {steps} step{'s' * (steps != 1)}"


def _checked_texts(checked: CheckedStep) -> Iterator[str]:
    if checked.posed is None:
        yield f"{checked.id}: in order"
        return
    slips = ", ".join(f"{slip} {reply_text(reply)}" for slip, reply in checked.posed.slips)
    yield f"{checked.id}: the truth is {reply_text(checked.posed.truth)}; slips: {slips or 'none'}"


def _complain_of(errors: list[LessonError]) -> int:
    for error in errors:
        line = " ".join(str(error).split())
        print("".join(each if each.isprintable() else ascii(each)[1:-1] for each in line), file=sys.stderr)
    return 2


def _print(texts: list[str] | Iterator[str]) -> int:
    try:
        for text in texts:
            print(text, flush=True)
    except OSError as error:
        return stop_writing(error, LESSON)
    return 0
