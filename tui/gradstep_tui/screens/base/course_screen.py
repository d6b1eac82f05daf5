"""A screen on which a lesson may be under way: what is done in the session is seen by the lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep.opening import open_session
from gradstep_tui.screens.base.keyed_screen import KeyedScreen

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.analysis.loop_verdict import Verdict
    from gradstep.errors import EngineError
    from gradstep.lessons.course import Course
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.courses.lesson_taking import LessonTaking

VIEWS: Final = {
    **{"ledger": "ledger", "elements": "numbers", "look": "step", "data": "samples", "graph": "graph"},
    **{"pictures": "pictures", "timeline": "timeline", "twin": "twin", "check": "check"},
}
"""Views that a lesson may ask for, by the id of the key that opens them."""


class CourseScreen(KeyedScreen):
    """A keyed screen with a lesson, or without one. Every key stays what it is."""

    course: var[Course | None] = var(None)
    """Lesson under way; None if there is none."""

    lesson_page: var[int] = var(0)
    """Page of the lesson's present step that is shown, counted from 0."""

    away: var[bool] = var(False)
    """Whether the session stands elsewhere than the lesson."""

    learner: str = ""
    """Name under which progress is kept; empty at home."""

    _taken: Session | None = None
    """Session of the lesson."""

    _asked_for: Action | None = None
    """Action that was applied last."""

    @property
    def lesson_progress(self) -> LessonProgress | None:
        """Keeps what was done in lessons; None if nothing is kept."""
        return getattr(self.app, "lesson_progress", None)

    def take(self, session: Session) -> None:
        """Show a session; a lesson on another session is left, and one that waits for this session begins."""
        if self.course is not None and session is not self._taken:
            self.leave_lesson()
        super().take(session)
        taking: LessonTaking | None = getattr(self.app, "taking", None)
        if taking is not None and taking.session is session and self._taken is not session:
            self._taken, self.course = session, taking.course

    def begin_lesson(self, start: Start, stopped: Callable[[], bool]) -> Session:
        """Make the session of a lesson, saved like any other; called from another thread.

        Args:
            start: Problem of the session.
            stopped: Called again and again while a script runs; if it returns True, no session is begun.

        Raises:
            EngineError: The session cannot be made; the current one goes on.
        """
        if self._autosave is None:
            return open_session(start, stopped)
        return self._autosave.begin_lesson(start, stopped)

    def take_lesson(self, session: Session, course: Course) -> None:
        """Show the session of a lesson, and the lesson beside it."""
        self._taken = session
        self.take(session)
        self.course, self.lesson_page, self.away = course, 0, False

    def leave_lesson(self) -> None:
        """Take the lesson off the screen; its session and its progress stay."""
        self.course, self._taken, self.lesson_page, self.away = None, None, 0, False

    def perform(self, action: Action) -> None:
        """Apply an action now, or once there is a session."""
        self._asked_for = action
        super().perform(action)

    def show(self, session: Session, error: EngineError | None) -> None:
        """Show the session's frame; what was done may be what the lesson asked for."""
        super().show(session, error)
        if self.course is not None and session is self._taken:
            self._see(session, error)

    def _see(self, session: Session, error: EngineError | None) -> None:
        from gradstep.lessons.course import with_action, with_refusal
        from gradstep.lessons.situation import words_of
        from gradstep.training.pytorch_errors import PyTorchError

        assert self.course is not None
        course = self.course
        if isinstance(error, PyTorchError) and self._asked_for is not None:
            course = with_refusal(course, session, words_of(self._asked_for, None, session.frame.loop))
        self.show_course(with_action(course, session))

    def show_course(self, course: Course) -> None:
        """Show a later state of the lesson, and keep what was done in its present step."""
        from gradstep.lessons.course import is_away

        before, self.course = self.course, course
        self.away = self._taken is not None and not self.running and is_away(course, self._taken)
        if before is None or before.at != course.at or before.is_open != course.is_open:
            self.lesson_page = 0
        if before is not None and not course.over and before.record != course.record:
            self._keep(course)

    def _keep(self, course: Course) -> None:
        step = course.step
        if self.lesson_progress is not None and step is not None:
            self.lesson_progress.keep(course.lesson.id, step.id, course.record, self.learner)

    def action_press(self, key_id: str) -> None:
        """Call the handler of a key; a view that it opens may be what the lesson asked for."""
        super().action_press(key_id)
        if key_id in VIEWS and not self.is_holding_keys:
            self.viewed(VIEWS[key_id])

    def viewed(self, view: str, verdict: str = "") -> None:
        """Note that a view was opened."""
        from gradstep.lessons.course import with_view

        if self.course is not None and self._taken is not None and not self.running:
            self.show_course(with_view(self.course, self._taken, view, verdict))

    def verdict_found(self, verdict: Verdict) -> None:
        """Note the verdict that was asked for."""
        self.viewed("verdict", str(verdict.finding))
