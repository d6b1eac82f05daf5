"""Lessons on the bench: choosing one, going on in it, hints, skipping, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import Answer
from gradstep.errors import BadInput
from gradstep.lessons.lesson_parts import Choose, Predict
from gradstep.predictions.judging import read_reply
from gradstep_tui.courses.course_words import LADDER_NAMES, done_text, filled, steps_text
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.base.working_screen import AT_ONCE
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.choosers.lesson_choice import LessonChoiceScreen
from gradstep_tui.screens.dialogs.choosers.lesson_chooser import LessonRow, LessonsScreen
from gradstep_tui.screens.openers.new_session import ask_if_lost
from gradstep_tui.text.remarks import hint, success
from gradstep_tui.widgets.course.course_pane import CoursePanel

if TYPE_CHECKING:
    from gradstep.lessons.course import Course
    from gradstep.lessons.lesson_parts import LessonFile
    from gradstep.predictions.exercise import Exercise
    from gradstep.predictions.question import Asked, Question
    from gradstep.session import Session
    from gradstep_tui.screens.base.course_screen import CourseScreen

OPENING: Final = "the lesson opens"
NO_LESSON: Final = "no lesson is under way: {lessons} lists them"
NOT_DONE: Final = "not done yet; {lesson_hint} gives a hint, {lesson_skip} does the step for you"
LOOKED: Final = "(You have seen it already: the answer is marked so.)"
HERE: Final = "the lesson stands here"


def choose_lesson(bench: CourseScreen) -> None:
    """Show the lessons, and begin the chosen one."""
    from gradstep_tui.courses.lesson_rows import listed_lessons

    def chosen(lesson_id: str | None) -> None:
        from gradstep.lessons.lesson_library import built_in_lesson

        if lesson_id is None:
            return
        lesson = built_in_lesson(lesson_id)
        if bench.course is None:
            ask_if_lost(bench, lesson.front.problem, lambda yes: begin_lesson(bench, lesson) if yes else None)
        else:  # what was done in a lesson is kept as its progress
            begin_lesson(bench, lesson)

    if bench.idle_session() is None:
        return
    rows, before = list[LessonRow](), None
    for listed in listed_lessons(bench.lesson_progress, bench.learner):
        if listed.ladder != before:
            rows.append(LessonRow("", LADDER_NAMES[listed.ladder]))
        before, lesson, records = listed.ladder, listed.lesson, listed.records
        signs, done = steps_text(records), done_text(records)
        rows.append(LessonRow(lesson.id, lesson.title, signs, done, lesson.front.idea))
    at = "" if bench.course is None else bench.course.lesson.id
    bench.app.push_screen(LessonsScreen(rows, at), chosen)


def begin_lesson(bench: CourseScreen, lesson: LessonFile) -> None:
    """Begin a lesson in a session of its own, or go on at its first open step."""

    from gradstep_tui.courses.lesson_taking import LessonTaking

    taking = LessonTaking(lesson, bench.lesson_progress, bench.learner)

    def work(stopped: Callable[[], bool]) -> Session:
        return taking.open(lambda start: bench.begin_lesson(start, stopped))

    def show(session: Session) -> None:
        assert taking.course is not None
        bench.take_lesson(session, taking.course)
        bench.notice = success(f"the lesson {lesson.title} begins")

    bench.work(work, show, title=OPENING)


def go_on_in_lesson(bench: CourseScreen) -> None:
    """Turn a page of the lesson; after the last one, answer, or go on to the next step."""
    course = bench.course
    if course is None:
        choose_lesson(bench)
        return
    panel = bench.query_one(CoursePanel)
    if bench.lesson_page + 1 < panel.count:
        bench.lesson_page += 1
    elif course.over:
        choose_lesson(bench)
    elif not course.is_open:
        _next_step(bench, course)
    elif course.step is not None and isinstance(course.step.part, Choose):
        _choose(bench, course, course.step.part)
    elif course.step is not None and isinstance(course.step.part, Predict):
        _predict(bench, course)
    else:
        bench.lesson_page = 0
        bench.notice = hint(NOT_DONE.format(**SIGNS))


def _next_step(bench: CourseScreen, course: Course) -> None:
    """Go on to the next step, from where this one was done."""
    if bench.idle_session() is None:
        return
    bench.show_course(course.next_step())
    if bench.away:
        go_to_lesson(bench)


def _choose(bench: CourseScreen, course: Course, part: Choose) -> None:
    from gradstep.lessons.course import with_choice

    def chosen(answer: str | None) -> None:
        if answer is not None and bench.course is course:
            bench.show_course(with_choice(course, answer))
            bench.lesson_page = 0 if answer == part.right else max(bench.query_one(CoursePanel).count - 1, 0)

    bench.app.push_screen(LessonChoiceScreen(filled(part.ask), part.answers), chosen)


def show_hint(bench: CourseScreen) -> None:
    """Show the next hint of the present step."""
    if bench.course is None:
        bench.notice = hint(NO_LESSON.format(**SIGNS))
        return
    try:
        bench.show_course(bench.course.with_hint())
    except BadInput as wrong:
        bench.notice = hint(str(wrong))
    bench.lesson_page = max(bench.query_one(CoursePanel).count - 1, 0)


def skip_lesson_step(bench: CourseScreen) -> None:
    """Do the present step as its solution does, and mark it as skipped."""
    from gradstep.lessons.solutions import skip_step

    course, session = bench.course, bench.idle_session()
    if course is None or session is None:
        if session is not None:
            bench.notice = hint(NO_LESSON.format(**SIGNS))
        return
    if not course.is_open:
        go_on_in_lesson(bench)
        return
    bench.work(lambda _: skip_step(course, session), bench.show_course, title="the step is done for you")


def go_to_lesson(bench: CourseScreen) -> None:
    """Go back to where the lesson stands in the session."""
    from gradstep.lessons.course import back_to_lesson

    if bench.course is None:
        bench.notice = hint(NO_LESSON.format(**SIGNS))
    elif bench.away:
        bench.perform(back_to_lesson(bench.course))
    else:
        bench.notice = hint(HERE)


def _predict(bench: CourseScreen, course: Course) -> None:
    """Ask for the prediction, from where the lesson stands; PyTorch works the truth out meanwhile."""
    from gradstep.lessons.questions import question_of

    if bench.away:
        go_to_lesson(bench)
        bench.when_idle(lambda: _predict(bench, course) if bench.course is course else None)
        return
    session, step = bench.idle_session(), course.step
    if session is None or bench.frame is None or step is None or not isinstance(step.part, Predict):
        return
    question = question_of(step.part, bench.frame)
    text = filled(step.part.ask)
    ask = partial(ask_prediction, bench, text)
    bench.work(partial(_put, session, question), ask, title="question", holds_keys=True, at_once=AT_ONCE)


def _put(session: Session, question: Question, stopped: Callable[[], bool]) -> Exercise:
    return session.put(question, stopped)


def ask_prediction(bench: CourseScreen, text: str, exercise: Exercise) -> None:
    """Ask a question; the answer is committed as an action, which runs what comes next."""

    def given(answer: str | None) -> None:
        if answer is not None:
            bench.perform(Answer(exercise.question, answer))

    asked = exercise.question.target.asked
    looked = f" {LOOKED}" if exercise.has_looked else ""
    bench.app.push_screen(AskScreen(f"{text}{looked}", "", partial(_accepted, asked)), given)


def _accepted(asked: Asked, text: str) -> str:
    """Return an answer as it was typed.

    Raises:
        NotAnAnswer: It says nothing that is accepted.
    """
    read_reply(text, asked)
    return text.strip()
