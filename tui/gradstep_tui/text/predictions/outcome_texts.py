"""The outcome of a prediction in words: what was predicted beside what PyTorch gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gradstep.predictions.judging import Grade
from gradstep.predictions.question import Choice
from gradstep_tui.text.predictions.slip_texts import LOOK, place_of, slip_text
from gradstep_tui.text.predictions.target_names import reply_text, target_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.predictions.exercise import Prediction

RIGHT: Final = "right"
WRONG: Final = "wrong"
AFTER_LOOKING: Final = "after looking"
SIDES: Final = "{name}: you said {given}, PyTorch gives {truth}: {worth}."
UNKNOWN: Final = "No slip that I know explains this answer."


def worth_text(prediction: Prediction) -> str:
    """Return what an answer was worth: `right`, `wrong`, or `right, after looking`."""
    worth = RIGHT if prediction.is_right else WRONG
    return f"{worth}, {AFTER_LOOKING}" if prediction.after_looking else worth


def side_by_side(prediction: Prediction, frame: Frame) -> tuple[str, str, str]:
    """Return what was asked for, what was predicted, and what PyTorch gave."""
    posed = prediction.posed
    return target_text(posed.question.target, frame), prediction.given.strip(), reply_text(posed.truth)


def side_text(prediction: Prediction, frame: Frame) -> str:
    """Return prediction and outcome as one sentence."""
    name, given, truth = side_by_side(prediction, frame)
    return SIDES.format(name=name, given=given, truth=truth, worth=worth_text(prediction))


def reason_texts(prediction: Prediction, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield sentences that say why an answer is wrong, or what PyTorch raised; none for a right number.

    Args:
        prediction: The prediction.
        keys: What is pressed or typed to go to a place, by the id of a key.
    """
    posed, judged = prediction.posed, prediction.judged
    if judged.grade is Grade.UNKNOWN:
        yield UNKNOWN
    if judged.slip is not None:
        yield slip_text(judged.slip, posed)
    if posed.truth is Choice.RAISES:
        yield posed.lesson or posed.raised
    elif judged.grade is not Grade.RIGHT:
        place = place_of(posed)
        yield LOOK[place].format(key=keys[place])
