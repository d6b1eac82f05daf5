"""How well a learner can tell what comes next: what is done, and how much help is left.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from gradstep.predictions.exercise import Help, Prediction
from gradstep.predictions.judging import Doing, Posed
from gradstep.predictions.question import Asked

IN_A_ROW: Final = 2
"""Right answers in a row, each at first commit, after which a kind of question is done."""

Topic: TypeAlias = tuple[Asked, Doing]
"""Kind of question: what is asked for, and after what."""


@dataclass(frozen=True, slots=True)
class Mastery:
    """What the answers to one kind of question say."""

    right: int = 0
    """Right answers, each at first commit."""

    wrong: int = 0
    row: int = 0
    """Right answers since the last wrong one."""

    is_done: bool = False
    """Whether `IN_A_ROW` answers in a row were right at some time."""

    help: Help = Help.WORKED


def topic_of(posed: Posed) -> Topic:
    """Return the kind of a question."""
    return posed.question.target.asked, posed.doing


def mastery(predictions: Iterable[Prediction], topic: Topic) -> Mastery:
    """Return what answers say of one kind of question; answers after looking do not count.

    Args:
        predictions: All predictions of a session, on all branches, in the order in which they were made.
        topic: The kind of question.
    """
    at = Mastery()
    for prediction in predictions:
        if topic_of(prediction.posed) == topic and not prediction.after_looking:
            at = _after(at, prediction.is_right)
    return at


def _after(at: Mastery, is_right: bool) -> Mastery:
    if not is_right:
        return Mastery(at.right, at.wrong + 1, 0, at.is_done, Help(max(at.help - 1, Help.WORKED)))
    row = at.row + 1
    help_left = Help(min(at.help + 1, Help.ALONE))
    return Mastery(at.right + 1, at.wrong, row, at.is_done or row >= IN_A_ROW, help_left)
