"""The texts of a lesson's present step, and the keys that make sense in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gradstep.lessons.course import Status
from gradstep.lessons.lesson_parts import Choose, Predict
from gradstep_tui.courses.course_words import (
    KeyNamer,
    because_text,
    done_text,
    filled,
    result_text,
    sign_of,
)
from gradstep_tui.keys import SIGNS

if TYPE_CHECKING:
    from gradstep.lessons.course import Course


class Piece(NamedTuple):
    """One text of a step."""

    text: str
    role: str = ""
    """Role of its lines in a panel."""

    answers: tuple[str, ...] = ()
    """Answers to choose from, which begin a line each if there is room; `text` has all of them."""


def pieces(course: Course, name: KeyNamer = sign_of, *, is_told: bool = False) -> tuple[Piece, ...]:
    """Return the texts of the present step: to read, what is asked, hints, and what came of it.

    Args:
        course: The course.
        name: Returns what to press or type for a key, by the key's id.
        is_told: Whether the outcome of a prediction was told already.
    """
    step = course.step
    if step is None:
        ending = [Piece(filled(text, name)) for text in course.lesson.ending.split("\n") if text]
        return (*ending, Piece(f"The lesson is over: {done_text(course.records)}.", "mark"))
    if not course.is_open:
        return tuple(_result(course, name, is_told=is_told))
    found = [Piece(filled(text, name)) for text in step.text.split("\n") if text]
    found += [Piece(filled(step.part.ask, name), "key")]
    if isinstance(step.part, Choose):
        answers = tuple(f"{number}) {text}" for number, text in enumerate(step.part.answers, 1))
        found += [Piece("   ".join(answers), answers=answers)]
    found += [Piece(f"Hint: {filled(hint, name)}", "label") for hint in course.hints]
    return (*found, *_result(course, name, is_told=is_told))


def _result(course: Course, name: KeyNamer, *, is_told: bool) -> Iterator[Piece]:
    """Yield what became of the step: the lesson's sentence about a wrong answer, or its explanation."""
    because = filled(because_text(course), name)
    result = "" if is_told and course.answer is not None else result_text(course)
    step = course.step
    then = "" if step is None or course.is_open else filled(step.part.then, name)
    is_good = not because and course.record.status is not Status.SKIPPED
    first = " ".join(filter(None, (result, because if because else then)))
    if first:
        yield Piece(first, "mark" if is_good else "caution")
    if because and then:
        yield Piece(then)


def key_texts(course: Course, *, is_last: bool, away: bool) -> list[str]:
    """Return the keys that make sense now, each with what it does.

    Args:
        course: The course.
        is_last: Whether the last page is shown.
        away: Whether the session stands elsewhere than the lesson.
    """
    keys = [f"{SIGNS['lesson']} {_next_word(course, is_last=is_last)}"]
    if course.is_open:
        keys += [f"{SIGNS['lesson_hint']} hint", f"{SIGNS['lesson_skip']} skip"]
    if away:
        keys += [f"{SIGNS['lesson_place']} back"]
    return keys


def _next_word(course: Course, *, is_last: bool) -> str:
    if not is_last:
        return "reads on"
    if course.over:
        return "opens the list"
    if not course.is_open:
        return "goes on"
    step = course.step
    if step is not None and isinstance(step.part, Predict | Choose):
        return "answers"
    return "reads again"
