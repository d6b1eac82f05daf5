"""Lessons in plain mode: the same steps in words, and answers typed as commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from gradstep.actions import Answer
from gradstep.errors import BadInput
from gradstep.lessons.course import (
    Course,
    back_to_lesson,
    is_away,
    with_action,
    with_choice,
    with_refusal,
    with_view,
)
from gradstep.lessons.lesson_parts import Choose, Predict
from gradstep.lessons.questions import question_of
from gradstep.lessons.situation import words_of
from gradstep.lessons.solutions import skip_step
from gradstep.predictions.judging import read_reply
from gradstep_tui.courses.course_pieces import pieces
from gradstep_tui.courses.course_words import filled, where_text

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session

VIEWS: Final = {
    **{"ledger": "ledger", "elements": "numbers", "look": "step", "data": "samples", "graph": "graph"},
    **{
        "pictures": "pictures",
        "timeline": "timeline",
        "twin": "twin",
        "check": "check",
        "verdict": "verdict",
    },
}
"""Views that a lesson may ask for, by the id of the key whose command shows them."""

NO_LESSON: Final = "no lesson is under way: type lessons to list them, and lessons NAME to begin one"
NOTHING_ASKED: Final = "the lesson asks nothing now: type lesson to see its step"
ANSWERS: Final = "Type answer and your answer."
CHOICES: Final = "Type answer and a number."
GOES_ON: Final = "Type lesson to go on."
AWAY: Final = "The session stands elsewhere than the lesson: to lesson goes back."


class LessonTalk:
    """A lesson under way in plain mode, or none."""

    def __init__(self, name: Callable[[str], str], progress: LessonProgress | None = None) -> None:
        """Begin without a lesson.

        Args:
            name: Returns the command for a key, by the key's id.
            progress: Keeps what is done; None to keep nothing.
        """
        self._name, self.progress = name, progress
        self.course: Course | None = None
        self._session: Session | None = None

    def begin(self, session: Session, course: Course) -> Iterator[str]:
        """Take a lesson up, and yield its present step."""
        self._session, self.course = session, course
        return self.step_texts()

    def leave(self, session: Session) -> None:
        """Forget the lesson if its session is no longer the one that is trained."""
        if session is not self._session:
            self.course = self._session = None

    def step_texts(self) -> Iterator[str]:
        """Yield the present step: where it is, its texts, and what to type."""
        course = self.course
        if course is None:
            yield NO_LESSON
            return
        yield f"Lesson {where_text(course)}."
        for piece in pieces(course, self._name):
            yield from piece.answers or (piece.text,)
        if course.over:
            return
        step = course.step
        if not course.is_open:
            yield GOES_ON
        elif step is not None and isinstance(step.part, Predict):
            yield ANSWERS
        elif step is not None and isinstance(step.part, Choose):
            yield CHOICES

    def go_on(self) -> Iterable[str]:
        """Return the present step again, or the next one if it is done."""
        course = self._under_way()
        if not course.is_open and not course.over:
            self._follow(course.next_step())
            self._go_back()
        return self.step_texts()

    def hint(self) -> Iterable[str]:
        """Return the next hint.

        Raises:
            BadInput: There is no lesson or no further hint, or nothing was tried since the last one.
        """
        self._follow(self._under_way().with_hint())
        assert self.course is not None
        return [f"Hint: {filled(self.course.hints[-1], self._name)}"]

    def skip(self) -> Iterable[str]:
        """Do the present step as its solution does, and return what came of it."""
        course = self._under_way()
        if course.is_open and self._session is not None:
            self._follow(skip_step(course, self._session))
        return self.step_texts()

    def back(self) -> Action | None:
        """Return the action that goes back to where the lesson stands; None if the session stands there."""
        course = self._under_way()
        assert self._session is not None
        return back_to_lesson(course) if is_away(course, self._session) else None

    def choose(self, text: str) -> Iterable[str]:
        """Answer the present choice, by the number of an answer or by its text.

        Raises:
            BadInput: There is no such answer.
        """
        course = self._under_way()
        part = None if course.step is None or not course.is_open else course.step.part
        if not isinstance(part, Choose):
            raise BadInput(NOTHING_ASKED)
        self._follow(with_choice(course, _chosen(part, text)))
        return self._came()

    @property
    def wants_answer(self) -> bool:
        """Whether an answer is meant for the lesson, and not for a question that was asked besides it."""
        asked = None if self._session is None else self._session.asked
        return asked is None and (self.asks(Predict) or self.asks(Choose))

    def asks(self, kind: type[Predict] | type[Choose]) -> bool:
        """Return whether the present step waits for an answer of a kind."""
        step = None if self.course is None or not self.course.is_open else self.course.step
        return step is not None and isinstance(step.part, kind)

    def answer(self, text: str) -> Action:
        """Return the action that answers the present prediction; the session stands where the lesson does.

        Raises:
            BadInput: The text is no answer to what is asked; the message says what is accepted.
        """
        step = self._under_way().step
        assert step is not None
        assert isinstance(step.part, Predict)
        assert self._session is not None
        question = question_of(step.part, self._session.frame)
        read_reply(text, question.target.asked)
        return Answer(question, text.strip())

    def see(self, action: Action, *, refused: bool = False) -> Iterator[str]:
        """Note an action that was applied, and yield what it means for the lesson, if anything."""
        if self.course is None or self._session is None:
            return
        was_open, course = self.course.is_open, self.course
        if refused:
            words = words_of(action, None, self._session.frame.loop)
            course = with_refusal(course, self._session, words)
        self._follow(with_action(course, self._session))
        yield from self._news(was_open)

    def view(self, key_id: str) -> Iterator[str]:
        """Note a view that was shown, by the id of its key, and yield what it means for the lesson."""
        if self.course is None or self._session is None or key_id not in VIEWS:
            return
        was_open = self.course.is_open
        verdict = str(self._session.verdict().finding) if key_id == "verdict" else ""
        self._follow(with_view(self.course, self._session, VIEWS[key_id], verdict))
        yield from self._news(was_open)

    def _news(self, was_open: bool) -> Iterator[str]:
        assert self.course is not None
        if was_open and not self.course.is_open:
            yield from self._came()

    def _came(self) -> Iterator[str]:
        assert self.course is not None
        came = pieces(self.course, self._name, is_told=True)
        if self.course.is_open:
            came = came[-1:]
        yield from (f"lesson: {piece.text}" for piece in came)
        if not self.course.is_open:
            yield GOES_ON

    def _under_way(self) -> Course:
        if self.course is None:
            raise BadInput(NO_LESSON)
        return self.course

    def _go_back(self) -> None:
        assert self.course is not None
        assert self._session is not None
        if is_away(self.course, self._session):
            self._session.apply(back_to_lesson(self.course))

    def _follow(self, course: Course) -> None:
        before, self.course = self.course, course
        step = course.step
        if before is None or step is None or self.progress is None or before.record == course.record:
            return
        self.progress.keep(course.lesson.id, step.id, course.record)


def _chosen(part: Choose, text: str) -> str:
    """Return the answer that a text means.

    Raises:
        BadInput: None is meant.
    """
    word = text.strip()
    if word in part.answers:
        return word
    if word.isascii() and word.isdigit() and 0 < int(word[:3]) <= len(part.answers):
        return part.answers[int(word[:3]) - 1]
    raise BadInput(f"{word[:40]!r} is none of the answers: use a number from 1 to {len(part.answers)}")
