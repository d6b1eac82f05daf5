"""`gradstep learn` and `gradstep lesson`: lessons from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gradstep.errors import BadInput
from gradstep_tui.commands.lessons.lesson_parsers import LEARN, learn_parser, lesson_parser
from gradstep_tui.commands.parsers import complain, complain_of
from gradstep_tui.courses.lesson_taking import LessonTaking
from gradstep_tui.session.autosave import Autosave

if TYPE_CHECKING:
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session

Train = Callable[[Callable[[], "Session"], Autosave, Namespace, LessonTaking, "LessonProgress | None"], int]
"""Trains on the bench or in plain mode, with a lesson beside it, and returns the exit code."""


def learn(arguments: Sequence[str], train: Train) -> int:
    """List the lessons, forget progress, or take a lesson; return the exit code."""
    from gradstep.lessons.lesson_library import built_in_lesson
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep_tui.commands.lessons.lesson_list import list_lessons, reset_progress

    options, progress = learn_parser().parse_args(arguments), LessonProgress()
    try:
        lesson = None if options.lesson is None else built_in_lesson(options.lesson)
    except BadInput as error:
        return complain_of(error, LEARN, hint=False)
    if options.reset:
        return reset_progress(progress, None if lesson is None else lesson.id, yes=options.yes)
    if lesson is None:
        return list_lessons(progress)
    return _take(LessonTaking(lesson, progress), options, train, progress)


def lesson(arguments: Sequence[str], train: Train) -> int:
    """Write, check or try a lesson file; return the exit code."""
    from gradstep.lessons.lesson_error import LessonError
    from gradstep.lessons.lesson_file import read_lesson
    from gradstep_tui.commands.lessons.lesson_files import check_lesson_file, new_lesson

    options = lesson_parser().parse_args(arguments)
    match options.what:
        case "new":
            return new_lesson(options.file)
        case "check":
            return check_lesson_file(options.file)
    try:
        taking = LessonTaking(read_lesson(options.file), None)
    except LessonError as error:
        return complain(str(error), "gradstep lesson", hint=False)
    return _take(taking, options, train, None)


def _take(taking: LessonTaking, options: Namespace, train: Train, progress: LessonProgress | None) -> int:
    autosave = Autosave()
    autosave.offers = False
    return train(partial(taking.open, autosave.begin_lesson), autosave, options, taking, progress)
