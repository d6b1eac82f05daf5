"""A lesson under way: its steps, what the learner has done in them, and where in the history they stand.

A course is immutable. It keeps no keys: a step is done if the session's state and history say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gradstep.actions import Action, GoTo
from gradstep.errors import BadInput
from gradstep.lessons.conditions import holds
from gradstep.lessons.lesson_file import RUNGS
from gradstep.lessons.lesson_parts import Choose, LessonFile, LessonStep, Predict, Task
from gradstep.lessons.questions import judged_in_lesson, question_of
from gradstep.lessons.situation import Events, milestones_of, situation_of
from gradstep.predictions.judging import Grade

if TYPE_CHECKING:
    from gradstep.predictions.exercise import Prediction
    from gradstep.predictions.judging import Posed
    from gradstep.session import Session


class Status(StrEnum):
    """How far a step is; the values are stored."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """What a learner did in a step, as far as it is kept."""

    status: Status = Status.OPEN
    first: Grade | None = None
    """What the first answer was worth; None without an answer."""

    slip: str = ""
    """Slip that explains the first answer, or the wrong choice; empty if there is none."""

    tries: int = 0
    """Answers that were given."""

    hints: int = 0
    """Hints that were shown."""

    after_looking: bool = False
    """Whether the first answer was given after the learner had seen the truth."""


NO_EVENTS: Final = Events()


@dataclass(frozen=True, slots=True)
class Course:
    """A lesson under way."""

    lesson: LessonFile
    places: tuple[int, ...]
    """Number of the point of the history at which each step began, up to the present step."""

    records: tuple[StepProgress, ...]
    """One for each step of the lesson."""

    events: Events = NO_EVENTS
    ended: int | None = None
    """Number of the point at which the present step was done; None while it is open."""

    tried: bool = True
    """Whether the learner has tried something since the last hint."""

    chosen: str = ""
    """Answer that was chosen last in the present step; empty if none was."""

    revealed: Posed | None = None
    """Question of the present step with its truth, if the step was skipped; None otherwise."""

    answer: Prediction | None = None
    """Last answer to the present step's question, with the truth; None if there is none."""

    @property
    def at(self) -> int:
        """Place of the present step, counted from 0; the number of steps at the end of the lesson."""
        return len(self.places) - 1

    @property
    def step(self) -> LessonStep | None:
        """Present step; None at the end of the lesson."""
        return None if self.over else self.lesson.steps[self.at]

    @property
    def over(self) -> bool:
        """Whether every step is behind."""
        return self.at >= len(self.lesson.steps)

    @property
    def record(self) -> StepProgress:
        """What was done in the present step."""
        return StepProgress() if self.over else self.records[self.at]

    @property
    def is_open(self) -> bool:
        """Whether the present step waits for the learner."""
        return not self.over and self.record.status is Status.OPEN

    @property
    def place(self) -> int:
        """Number of the point of the history at which the lesson stands."""
        return self.places[-1] if self.ended is None else self.ended

    @property
    def hints(self) -> tuple[str, ...]:
        """Hints of the present step that were shown, the latest last."""
        return () if self.step is None else self.step.part.hints[: self.record.hints]

    def recorded(self, record: StepProgress) -> Course:
        """Return the course with another record of the present step."""
        return replace(self, records=(*self.records[: self.at], record, *self.records[self.at + 1 :]))

    def done(self, place: int, status: Status = Status.DONE) -> Course:
        """Return the course with the present step done, at a point of the history."""
        return replace(self.recorded(replace(self.record, status=status)), ended=place)

    def next_step(self) -> Course:
        """Return the course at the next step, which begins where this one was done.

        Raises:
            BadInput: The step is not done.
        """
        if self.over:
            return self
        if self.ended is None:
            raise BadInput("this step is not done yet")
        places = (*self.places, self.ended)
        return Course(self.lesson, places, self.records)

    def with_hint(self) -> Course:
        """Return the course with one more hint of the present step shown.

        Raises:
            BadInput: All hints are shown, or nothing was tried since the last one.
        """
        if self.over or not self.is_open:
            raise BadInput("this step is done: it needs no hint")
        if self.record.hints >= RUNGS:
            raise BadInput(
                "these were all hints: the answer can be shown, and the step counts as skipped then"
            )
        if not self.tried:
            raise BadInput("try something first: whatever it is, undo takes it back")
        return replace(self.recorded(replace(self.record, hints=self.record.hints + 1)), tried=False)


def begin_course(lesson: LessonFile, session: Session) -> Course:
    """Return the course of a lesson that begins at the present point of a session."""
    return Course(lesson, (point_of(session),), (StepProgress(),) * len(lesson.steps))


def point_of(session: Session) -> int:
    """Return the number of the point of the history at which a session stands."""
    line = session.timeline()
    return line.stops[line.here or 0].number


def is_away(course: Course, session: Session) -> bool:
    """Return whether a session stands elsewhere than the lesson, or inside an action."""
    return point_of(session) != course.place or bool(session.timeline().inside)


def with_action(course: Course, session: Session) -> Course:
    """Return a course after an action of its session: the present step may be done."""
    events = replace(course.events, seen=course.events.seen | milestones_of(session))
    return _checked(replace(course, events=events, tried=True), session)


def with_view(course: Course, session: Session, view: str, verdict: str = "") -> Course:
    """Return a course after a view was opened: the present step may be done.

    Args:
        course: The course.
        session: The session.
        view: Name of the view.
        verdict: Finding of the verdict, if the view is one; empty otherwise.
    """
    events = course.events
    found = events.verdict | ({verdict} if verdict else frozenset())
    events = replace(events, opened=events.opened | {view}, verdict=found)
    return _checked(replace(course, events=events, tried=True), session)


def with_refusal(course: Course, session: Session, words: tuple[str, ...]) -> Course:
    """Return a course after PyTorch refused an action, which the words name: the step may be done."""
    events = replace(course.events, refused=course.events.refused | {*words})
    return _checked(replace(course, events=events, tried=True), session)


def _checked(course: Course, session: Session) -> Course:
    step = course.step
    if step is None or not course.is_open:
        return course
    if isinstance(step.part, Predict):
        return _answered(course, session, step.part)
    if not isinstance(step.part, Task):
        return course
    situation = situation_of(session, course.places[-1], course.events)
    return course.done(point_of(session)) if holds(step.part.done, situation) else course


def _answered(course: Course, session: Session, predict: Predict) -> Course:
    """Return a course after its question was answered right where the lesson stands, or as it was."""
    frame = session.frame
    answer, stops = frame.prediction, session.timeline().stops[: frame.position + 1]
    if answer is None or len(stops) < 2 or stops[-2].number != course.place:
        return course
    is_asked = answer.question == question_of(predict, frame)
    return with_answer(course, session, answer) if is_asked else course


def with_choice(course: Course, answer: str) -> Course:
    """Return a course after an answer was chosen; the first one is kept, a wrong one leaves the step open."""
    step = course.step
    assert step is not None
    assert isinstance(step.part, Choose)
    is_right, record = answer == step.part.right, course.record
    record = replace(record, tries=record.tries + 1)
    if record.first is None:
        record = replace(
            record, first=Grade.RIGHT if is_right else Grade.SLIP, slip="" if is_right else answer
        )
    course = replace(course.recorded(record), chosen=answer, tried=True)
    return course.done(course.places[-1]) if is_right and course.is_open else course


def with_answer(course: Course, session: Session, answer: Prediction) -> Course:
    """Return a course after a prediction was answered and its actions ran: right or wrong, it is done."""
    step = course.step
    assert step is not None
    assert isinstance(step.part, Predict)
    judged = judged_in_lesson(answer, step.part)
    record = replace(course.record, tries=course.record.tries + 1)
    if record.first is None:
        record = replace(
            record, first=judged.grade, slip=judged.slip or "", after_looking=answer.after_looking
        )
    course = replace(course.recorded(record), answer=replace(answer, judged=judged), tried=True)
    return course.done(point_of(session)) if course.is_open else course


def back_to_lesson(course: Course) -> Action:
    """Return the action that goes back to where the lesson stands."""
    return GoTo(course.place)
