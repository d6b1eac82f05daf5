"""From the words of a lesson to a question about what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.lessons.lesson_commands import run_from
from gradstep.lessons.number_names import GRAD, number_name
from gradstep.predictions.judging import Judged, Posed, coincide, judge
from gradstep.predictions.question import Asked, Question, Target

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.lessons.lesson_parts import Predict
    from gradstep.predictions.exercise import Prediction

WHOLE: Final = {"loss": Asked.LOSS, "direction": Asked.DIRECTION, "outcome": Asked.OUTCOME}
"""Words for what a question asks that is not about a parameter."""

MOVE: Final = "move of "
"""Words before a number whose change is asked for."""

GRADIENT: Final = "gradient "
"""Word before an event's number, and the place in the gradient that the event makes: `gradient 7[0, 1]`."""


def question_of(predict: Predict, frame: Frame) -> Question:
    """Return the question of a prediction, in a session on the lesson's problem.

    Raises:
        BadInput: The session has nothing that the value names.
    """
    return Question(target_of(predict.value, frame), tuple(map(run_from, predict.after)))


def target_of(value: str, frame: Frame) -> Target:
    """Return what a value of a lesson asks for.

    Raises:
        BadInput: The session has nothing that it names.
    """
    text = " ".join(value.split())
    if text in WHOLE:
        return Target(WHOLE[text])
    if text.startswith(GRADIENT):
        return _event_target(text)
    if text.startswith(MOVE):
        name = number_name(text.removeprefix(MOVE), frame)
        if name.part:
            raise BadInput(f"{value[:60]!r} is no move: name a number of a parameter after {MOVE.strip()!r}")
        return Target(Asked.MOVE, name.parameter, name.place)
    name = number_name(text, frame)
    if not name.part:
        return Target(Asked.VALUE, name.parameter, name.place)
    if name.part == GRAD:
        return Target(Asked.GRAD, name.parameter, name.place)
    return Target(Asked.MEMORY, name.parameter, name.place, name.part)


def for_lesson(posed: Posed, predict: Predict) -> Posed:
    """Return a question with the slips that count in a lesson.

    These are the slips that the lesson has a sentence for, and those others that are no other answer's.
    """
    slips = [*sorted(posed.slips, key=lambda slip: slip[0] not in predict.slips)]
    kept = [slip for slip in slips if slip[0] in predict.slips]
    for slip in slips[len(kept) :]:
        replies = (posed.truth, *(reply for _, reply in kept))
        if not any(coincide(slip[1], reply) for reply in replies):
            kept.append(slip)
    return replace(posed, slips=tuple(kept))


def judged_in_lesson(answer: Prediction, predict: Predict) -> Judged:
    """Return what an answer is worth in a lesson: of slips with the same answer, the lesson's counts."""
    return judge(for_lesson(answer.posed, predict), answer.given)


def _event_target(text: str) -> Target:
    number, _, rest = text.removeprefix(GRADIENT).partition("[")
    words = [word.strip() for word in rest.removesuffix("]").split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() and len(word) < 7 for word in (number.strip(), *words)):
        raise BadInput(f"{text[:60]!r} is no place in a gradient: write e.g. gradient 7[0, 1]")
    return Target(Asked.GRADIENT, index=tuple(map(int, words)), event=int(number))
