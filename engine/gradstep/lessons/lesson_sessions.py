"""Opens the session in which a lesson is taken: its problem, and the actions of its start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradstep.errors import EngineError
from gradstep.lessons.lesson_commands import View, command_from
from gradstep.lessons.lesson_error import LessonError
from gradstep.start import Start

if TYPE_CHECKING:
    from gradstep.lessons.lesson_parts import LessonFile
    from gradstep.session import Session


def lesson_start(lesson: LessonFile) -> Start:
    """Return the start of a lesson's session, before the actions of the lesson's start."""
    return Start(lesson.front.problem)


def go_to_start(session: Session, lesson: LessonFile) -> None:
    """Do the actions of a lesson's start; what is odd about a script is kept for the learner to find.

    Raises:
        LessonError: One of them cannot be done; the message names its line.
    """
    session.oddities = ()
    for text in lesson.front.start:
        command = command_from(text)
        assert not isinstance(command, View)
        try:
            session.apply(command)
        except EngineError as error:
            wrong = f"start: {text!r} cannot be done here: {str(error).rstrip('.')}"
            raise lesson.front_toml.error(wrong, "start") from error


def open_lesson(lesson: LessonFile, begin: Callable[[Start], Session]) -> Session:
    """Return a session at the start of a lesson.

    Args:
        lesson: The lesson.
        begin: Makes the session of a start.

    Raises:
        LessonError: The start cannot be reached.
    """
    try:
        session = begin(lesson_start(lesson))
    except EngineError as error:
        raise LessonError(lesson.path, lesson.front_toml.line_of("problem"), str(error)) from error
    go_to_start(session, lesson)
    return session
