"""Checks a lesson by taking it: nothing may be done at the start of a step, and everything at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from gradstep.errors import BadInput, EngineError
from gradstep.lessons.course import Course, begin_course, point_of, with_action, with_refusal, with_view
from gradstep.lessons.lesson_commands import View
from gradstep.lessons.lesson_parts import Choose, Predict, Task
from gradstep.lessons.lesson_sessions import open_lesson
from gradstep.lessons.questions import for_lesson, question_of
from gradstep.lessons.solutions import do_command, solution_of
from gradstep.opening import open_session
from gradstep.predictions.judging import coincide

if TYPE_CHECKING:
    from gradstep.lessons.lesson_error import LessonError
    from gradstep.lessons.lesson_parts import LessonFile, LessonStep
    from gradstep.predictions.judging import Posed, Reply
    from gradstep.session import Session
    from gradstep.start import Start


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """A step that was found to be in order."""

    id: str
    posed: Posed | None
    """Truth and slips of a prediction; None for any other step."""


def check_lesson(
    lesson: LessonFile, begin: Callable[[Start], Session] = open_session
) -> Iterator[CheckedStep]:
    """Take a lesson from its start to its end by its solutions; yield each step that is in order.

    Raises:
        LessonError: Something is wrong; the message names the line.
    """
    session = open_lesson(lesson, begin)
    course = begin_course(lesson, session)
    for step in lesson.steps:
        posed = None
        match step.part:
            case Task():
                course = _checked_task(course, session, step)
            case Predict():
                posed = _checked_predict(session, step)
                course = course.done(point_of(session))
            case Choose():
                course = course.done(course.place)
        yield CheckedStep(step.id, posed)
        course = course.next_step()


def _checked_task(course: Course, session: Session, step: LessonStep) -> Course:
    try:
        if not with_action(course, session).is_open:
            wrong = "this is done before anything is done: write a condition that only the task makes true"
            raise step.toml.error(wrong, "done")
        course = _solved(course, session, step)
    except BadInput as wrong:
        if hasattr(wrong, "line"):
            raise
        raise step.toml.error(f"done: {str(wrong).rstrip('.')}", "done") from wrong
    if course.is_open:
        raise step.toml.error("the solution does not do the task: done does not hold after it", "solution")
    return course


def _solved(course: Course, session: Session, step: LessonStep) -> Course:
    for command in solution_of(step):
        try:
            refused = do_command(session, command)
        except EngineError as error:
            raise _not_possible(step, "solution", command, error) from error
        if isinstance(command, View):
            verdict = str(session.verdict().finding) if command.name == "verdict" else ""
            course = with_view(course, session, command.name, verdict)
        elif refused:
            course = with_refusal(course, session, refused)
        else:
            course = with_action(course, session)
    return course


def _checked_predict(session: Session, step: LessonStep) -> Posed:
    predict = step.part
    assert isinstance(predict, Predict)
    try:
        posed = for_lesson(session.put(question_of(predict, session.frame)).posed, predict)
    except EngineError as error:
        raise step.toml.error(f"value: {str(error).rstrip('.')}", "value") from error
    if posed.is_ambiguous:
        raise step.toml.error(f"this question is ambiguous: {_coinciding(posed)}", "value")
    possible = {slip for slip, _ in posed.slips}
    for slip in predict.slips:
        if slip not in possible:
            can = ", ".join(sorted(possible)) or "none"
            raise step.toml.error(
                f"the slip {slip} cannot come up here; those that can: {can}", "slips", slip
            )
    for command in solution_of(step):
        try:
            do_command(session, command)
        except EngineError as error:
            raise _not_possible(step, "after", command, error) from error
    return posed


def _not_possible(step: LessonStep, name: str, command: object, error: EngineError) -> LessonError:
    return step.toml.error(
        f"{name}: {type(command).__name__} cannot be done here: {str(error).rstrip('.')}", name
    )


def _coinciding(posed: Posed) -> str:
    """Return which two of the truth and the slips one answer could say."""
    named = [("the truth", posed.truth), *((f"the slip {slip}", reply) for slip, reply in posed.slips)]
    (first, one), (second, other) = next(
        pair for pair in combinations(named, 2) if coincide(pair[0][1], pair[1][1])
    )
    return f"{first}, {_reply(one)}, and {second}, {_reply(other)}, are the same in three digits"


def _reply(reply: Reply) -> str:
    return f"{reply:.4g}" if isinstance(reply, float) else str(reply)
