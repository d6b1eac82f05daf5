"""A question as it is put to a learner: with what is known, and with help that fades.

Importing this module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from gradstep.loop.loop import StatementKey
from gradstep.predictions.judging import Grade, Judged, Posed, Reply
from gradstep.predictions.question import Question, Target


class Help(IntEnum):
    """How much help comes with a question; it fades with every right answer."""

    WORKED = 0
    """Another element is worked out, and one factor of this element is given."""

    FACTOR = 1
    """One factor of this element is given."""

    ALONE = 2
    """Nothing is given but what stands on screen."""


class Working(StrEnum):
    """How what is asked for comes about."""

    ADDED = "added"
    """`old + new`: a pass adds to a `.grad`."""

    STEPPED = "stepped"
    """`w - rate * gradient`."""

    ALGORITHM = "algorithm"
    """By the optimizer's algorithm, which uses its state."""

    MULTIPLIED = "multiplied"
    """`upstream * local`."""

    SUMMED = "summed"
    """The sum of `upstream * local` over what is summed."""

    PATHS = "paths"
    """The sum of the gradients of several paths."""

    COPIED = "copied"
    """The gradient that arrives, as it is or in another place."""

    KEPT = "kept"
    """Nothing changes it."""

    CLEARED = "cleared"
    """It becomes 0, or None."""

    OTHER = "other"


class Part(StrEnum):
    """What a given number is."""

    PRESENT = "present"
    """The number that is asked about, as it is now."""

    GRADIENT = "gradient"
    """The `.grad` of the element."""

    RATE = "rate"
    """The learning rate."""

    MEMORY = "memory"
    """The optimizer's state for the element; `Factor.name` is PyTorch's name for it."""

    BROUGHT = "brought"
    """What this pass adds."""

    STEP = "step"
    """Learning rate times gradient."""

    UPSTREAM = "upstream"
    """The gradient that arrives."""

    LOCAL = "local"
    """The local derivative."""

    PATH = "path"
    """The gradients of the paths."""

    LOSS = "loss"
    """The loss of the last forward pass."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A number, or a few, from which what is asked for comes about."""

    part: Part
    numbers: tuple[float | None, ...]
    """The numbers; None for a tensor that is not there."""

    name: str = ""
    """Name of the number, if `part` does not say it all."""


@dataclass(frozen=True, slots=True)
class Worked:
    """Another element, worked out."""

    target: Target
    factors: tuple[Factor, ...]
    truth: Reply


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question with everything that is shown before the answer, and what must not be shown."""

    posed: Posed
    """Question with truth and slips, which must not be shown before the answer."""

    working: Working
    help: Help
    known: tuple[Factor, ...] = ()
    """What stands on screen anyway."""

    given: tuple[Factor, ...] = ()
    """What is given as help; empty if none is."""

    worked: Worked | None = None
    """Another element as an example; None if there is none, or if no help is given."""

    statement: StatementKey | None = None
    """Key of the statement that is asked about; None if an event of a pass is."""

    event: str = ""
    """Name of the event that is asked about, as in the list of events; empty if a statement is."""

    has_looked: bool = False
    """Whether the history shows the truth already."""

    is_done: bool = False
    """Whether this kind of question is mastered."""

    @property
    def question(self) -> Question:
        """The question itself."""
        return self.posed.question


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer that was committed, with the truth that then came."""

    given: str
    """The answer as it was typed."""

    posed: Posed
    judged: Judged
    after_looking: bool = False
    """Whether the history had shown the truth before the answer."""

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.posed.question

    @property
    def is_right(self) -> bool:
        """Whether the answer is right."""
        return self.judged.grade is Grade.RIGHT
