"""A lesson that a command or the bench begins: its session, at the first step that is not done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradstep_tui.courses.lesson_rows import records_of

if TYPE_CHECKING:
    from gradstep.lessons.course import Course
    from gradstep.lessons.lesson_parts import LessonFile
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session
    from gradstep.start import Start


class LessonTaking:
    """A lesson to take, and its course once there is a session."""

    def __init__(self, lesson: LessonFile, progress: LessonProgress | None, learner: str = "") -> None:
        """Prepare a lesson.

        Args:
            lesson: The lesson.
            progress: Keeps what is done; None to keep nothing.
            learner: Name under which progress is kept; empty at home.
        """
        self.lesson, self._progress, self._learner = lesson, progress, learner
        self.session: Session | None = None
        self.course: Course | None = None

    def open(self, begin: Callable[[Start], Session]) -> Session:
        """Return the session of the lesson, at its first open step; one that is done begins anew.

        Args:
            begin: Makes the session of a start.

        Raises:
            LessonError: The start of the lesson cannot be reached.
        """
        from gradstep.lessons.course import Status, begin_course
        from gradstep.lessons.lesson_sessions import open_lesson
        from gradstep.lessons.solutions import fast_forward

        session = open_lesson(self.lesson, begin)
        course, records = (
            begin_course(self.lesson, session),
            records_of(self.lesson, self._progress, self._learner),
        )
        if any(record.status is Status.OPEN for record in records):
            course = fast_forward(course, session, records)
        self.session, self.course = session, course
        return session
