"""Does steps of a lesson as their solutions do: to skip, to check, or to go on where somebody left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gradstep.errors import EngineError
from gradstep.lessons.course import Course, Status, StepProgress, back_to_lesson, is_away, point_of
from gradstep.lessons.lesson_commands import View, command_from, run_from
from gradstep.lessons.lesson_parts import LessonStep, Predict, Task
from gradstep.lessons.questions import question_of
from gradstep.lessons.situation import words_of
from gradstep.training.pytorch_errors import PyTorchError

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.session import Session


def solution_of(step: LessonStep) -> Iterator[Action | View]:
    """Yield what does a step: of a prediction, the actions that run after the answer."""
    match step.part:
        case Task(solution=commands):
            yield from map(command_from, commands)
        case Predict(after=commands):
            yield from map(run_from, commands)


def skip_step(course: Course, session: Session) -> Course:
    """Do the present step's solution in the session, and return the course with the step skipped.

    Raises:
        EngineError: The solution cannot be done here.
    """
    step = course.step
    if step is None or not course.is_open:
        return course
    if is_away(course, session):
        session.apply(back_to_lesson(course))
    if isinstance(step.part, Predict):
        course = replace(course, revealed=session.put(question_of(step.part, session.frame)).posed)
    for command in solution_of(step):
        do_command(session, command)
    return course.done(point_of(session), Status.SKIPPED)


def do_command(session: Session, command: Action | View) -> tuple[str, ...]:
    """Do a command of a lesson; return the words for an action that PyTorch refused, as a lesson may want.

    Raises:
        EngineError: The action makes no sense.
    """
    if isinstance(command, View):
        return ()
    try:
        session.apply(command)
    except PyTorchError:
        return words_of(command, None, session.frame.loop)
    return ()


def fast_forward(course: Course, session: Session, records: tuple[StepProgress, ...]) -> Course:
    """Return a course at its first open step, with the steps before it done again in the session.

    Args:
        course: A course that has just begun.
        session: Its session.
        records: What the learner did in each step of the lesson before.
    """
    for record in records[: len(course.lesson.steps)]:
        if record.status is Status.OPEN:
            break
        try:
            course = skip_step(course, session).recorded(record).next_step()
        except EngineError:  # the lesson was changed since
            break
    return course
