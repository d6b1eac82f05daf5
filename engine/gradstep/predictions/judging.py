"""What is known of a question that is asked, and what an answer to it is worth.

Importing this module does not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final, TypeAlias

from gradstep.errors import BadInput
from gradstep.loop.literals import shown
from gradstep.predictions.question import CHOICES, Asked, Choice, Question

DIGITS: Final = 3
"""Significant digits in which an answer must agree with the truth."""

LONGEST_ANSWER: Final = 40
"""Characters that an answer may have."""

MAY_BE_NONE: Final = (Asked.GRAD, Asked.MEMORY)
"""What there may be no tensor for, so that `None` is an answer."""

Reply: TypeAlias = float | Choice | None
"""An answer as a fact: a number, a choice, or None for "there is no tensor"."""


class Slip(StrEnum):
    """A wrong idea that leads to one particular wrong answer."""

    NEW = "new"
    """Only what this pass brings: the old gradient is overwritten."""

    OLD = "old"
    """What was there before: this pass adds nothing."""

    ZERO = "zero"
    """0: the line clears it, or nothing arrives."""

    NONE = "none"
    """None: the line removes the tensor, or there is none yet."""

    NEGATED = "negated"
    """The right number with the wrong sign."""

    MEAN = "mean"
    """The mean of what is added."""

    SUM = "sum"
    """The sum of what is multiplied."""

    PRODUCT = "product"
    """The product of what is added."""

    TIMES_RATE = "times-rate"
    """The gradient times the learning rate: that is the step."""

    WITHOUT_RATE = "without-rate"
    """The step without the learning rate."""

    WRONG_WAY = "wrong-way"
    """A step up the slope: the gradient is added instead of subtracted."""

    UPSTREAM = "upstream"
    """The gradient that arrives, without the local derivative."""

    LOCAL = "local"
    """The local derivative, without the gradient that arrives."""

    SWAPPED = "swapped"
    """The local derivative of the other operand."""

    LAST_PATH = "last-path"
    """Only the last of several paths."""

    FIRST_PATH = "first-path"
    """Only the first of several paths."""

    TIMES_SAMPLES = "times-samples"
    """The number of samples times too large: a sum instead of a mean."""

    PER_SAMPLE = "per-sample"
    """Divided by the number of samples once too often, or the part of one sample alone."""

    STALE = "stale"
    """The gradient from before the last pass."""

    WITHOUT_MOMENTUM = "without-momentum"
    """The step of plain gradient descent, without the optimizer's state."""

    WITHOUT_DECAY = "without-decay"
    """The step without weight decay."""

    PLAIN_STEP = "plain-step"
    """The step of plain gradient descent, by an optimizer that scales its steps."""

    UNCHANGED = "unchanged"
    """What was there before: nothing moves."""

    MOVED = "moved"
    """A step, although this line does not move the weights."""

    ALWAYS_FALLS = "always-falls"
    """A step against the gradient lowers the loss, however long it is."""

    RUNS = "runs"
    """That the line runs, although PyTorch refuses it."""

    RAISES = "raises"
    """That PyTorch refuses the line, although it runs."""


class Doing(StrEnum):
    """What runs between a question and its truth, by its last statement."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"
    ZERO = "zero"
    NODE = "node"
    """An event of a backward pass."""

    CLIP = "clip"
    """A statement that changes gradients without a pass, such as clipping."""

    EPOCHS = "epochs"
    OTHER = "other"
    """A statement of a script that does none of this."""


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with its truth, and what wrong ideas make of it. It must not be shown before the answer."""

    question: Question
    truth: Reply
    """What PyTorch gives."""

    slips: tuple[tuple[Slip, Reply], ...] = ()
    """What each wrong idea gives, computed from the same state."""

    doing: Doing = Doing.OTHER
    raised: str = ""
    """Kind and message of what PyTorch raises; empty if it raises nothing."""

    lesson: str = ""
    """Sentence that explains what PyTorch raises; empty if there is none."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether one answer could be right and a slip, or two slips."""
        replies = (self.truth, *(reply for _, reply in self.slips))
        return any(coincide(one, other) for one, other in combinations(replies, 2))


class Grade(StrEnum):
    """What an answer is worth."""

    RIGHT = "right"
    SLIP = "slip"
    """Wrong, and a known slip explains it."""

    UNKNOWN = "unknown"
    """Wrong, and no known slip explains it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgement of an answer."""

    grade: Grade
    slip: Slip | None = None
    """Slip that explains the answer; None if it is right, or if no slip explains it."""

    @property
    def outcome(self) -> str:
        """Stable id of the judgement: `right`, the id of a slip, or `unknown`."""
        return self.grade.value if self.slip is None else self.slip.value


class NotAnAnswer(BadInput):
    """A text is no answer to what is asked."""

    def __init__(self, text: str, asked: Asked) -> None:
        """Say what is accepted."""
        accepted = ", ".join(CHOICES.get(asked, ())) or "a number, e.g. 82.2 or -1.5e-3"
        none = ", or None" * (asked in MAY_BE_NONE)
        given = shown(text.strip()[:LONGEST_ANSWER]) if text.strip() else "an empty text"
        super().__init__(f"{given} is no answer: use {accepted}{none}")
        self.asked = asked


def read_reply(text: str, asked: Asked) -> Reply:
    """Return the answer that a text says; `1,000` and `1_000` are 1000.

    Raises:
        NotAnAnswer: the text says no number, no `None`, or none of the choices.
    """
    plain = text.strip().lower()
    if len(plain) > LONGEST_ANSWER or not plain.isascii():
        raise NotAnAnswer(text, asked)
    choices = CHOICES.get(asked)
    if choices is not None:
        found = [choice for choice in choices if plain and choice.startswith(plain)]
        if len(found) != 1:
            raise NotAnAnswer(text, asked)
        return found[0]
    if plain == "none" and asked in MAY_BE_NONE:
        return None
    try:
        value = float(plain.replace(",", "").replace("_", ""))
    except ValueError:
        raise NotAnAnswer(text, asked) from None
    if not math.isfinite(value):
        raise NotAnAnswer(text, asked)
    return value


def judge(posed: Posed, given: str) -> Judged:
    """Return what an answer is worth.

    Raises:
        NotAnAnswer: `given` is no answer to what is asked.
    """
    reply = read_reply(given, posed.question.target.asked)
    if agree(reply, posed.truth):
        return Judged(Grade.RIGHT)
    found = next(_explaining(posed, reply), None)
    return Judged(Grade.UNKNOWN) if found is None else Judged(Grade.SLIP, found)


def _explaining(posed: Posed, reply: Reply) -> Iterator[Slip]:
    return (slip for slip, value in posed.slips if agree(reply, value))


def agree(given: Reply, value: Reply) -> bool:
    """Return whether an answer says a value: a number in `DIGITS` digits, rounded or cut off."""
    if isinstance(given, float) and isinstance(value, float):
        return abs(given - value) < _unit(value) if value else given == 0
    return given is value


def coincide(one: Reply, other: Reply) -> bool:
    """Return whether one answer could say both values."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < _unit(one) + _unit(other) if one and other else one == other
    return one is other


def _unit(value: float) -> float:
    """Return what the last of `DIGITS` significant digits of a number counts; 0 for 0."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1) if value else 0.0
