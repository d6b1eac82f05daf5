"""Predictions in a conversation: the question, the answer, and the outcome beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from gradstep.actions import Answer
from gradstep.errors import BadInput
from gradstep.predictions.judging import Grade
from gradstep.predictions.question import CHOICES
from gradstep.tensors.element_index import place_of
from gradstep_tui.plain.answers.ledger import ledger_texts
from gradstep_tui.text.predictions.outcome_texts import reason_texts, side_text
from gradstep_tui.text.predictions.question_texts import accepted_text, help_texts, question_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.predictions.exercise import Exercise, Prediction
    from gradstep.session import Session

COMMANDS: Final = {
    "ledger": "type ledger",
    "look": "type step",
    "elements": "type numbers",
    "manual": "type manual predicting",
}
"""Commands that show a place, by the id of the key that does the same."""

NODE: Final = "node"
HOW: Final = "Type answer and your answer, e.g. answer {example}."
NOT_ASKED: Final = "nothing is asked: type predict first, then answer"


def predict_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Yield a question about the line or node that comes next.

    Args:
        session: The session.
        text: `node` for the first node of the coming pass; empty for the whole line.
        stopped: Polled while a run goes on; return True to stop it.

    Raises:
        BadInput: `text` is another word.
    """
    if text.strip() not in ("", NODE):
        raise BadInput(f"{text.strip()[:40]!r} cannot be predicted: type predict, or predict node")
    exercise = session.ask(node=text.strip() == NODE, stopped=stopped)
    yield from exercise_texts(exercise, session.frame)


def exercise_texts(exercise: Exercise, frame: Frame) -> Iterator[str]:
    """Yield a question with its help, and how to answer."""
    yield question_text(exercise, frame)
    yield from help_texts(exercise, frame)
    yield accepted_text(exercise)
    choices = CHOICES.get(exercise.question.target.asked)
    yield HOW.format(example=choices[0] if choices else "82.2")


def answer_action(session: Session, text: str) -> Answer:
    """Return the action that answers the question that was asked last.

    Raises:
        BadInput: nothing was asked since the session last changed.
    """
    exercise = session.asked
    if exercise is None:
        raise BadInput(NOT_ASKED)
    return Answer(exercise.question, text)


def prediction_texts(prediction: Prediction, frame: Frame) -> Iterator[str]:
    """Yield prediction and outcome, the reason, and the ledger if no slip explains the answer."""
    yield side_text(prediction, frame)
    yield from reason_texts(prediction, COMMANDS)
    target = prediction.question.target
    parameter = next((one for one in frame.parameters if one.name == target.name), None)
    if prediction.judged.grade is Grade.UNKNOWN and target.asked not in CHOICES and parameter is not None:
        shape = tuple(parameter.value.shape)
        if len(shape) == len(target.index):
            row, column = divmod(place_of(shape, target.index), shape[-1] if shape else 1)
            yield from ledger_texts(frame, f"{target.name} {row} {column}" if len(shape) > 1 else target.name)
