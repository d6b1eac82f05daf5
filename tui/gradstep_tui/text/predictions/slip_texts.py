"""One sentence for each slip: what the wrong idea leaves out, and where that can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gradstep.predictions.judging import Doing, Posed, Slip
from gradstep.predictions.question import Asked

SENTENCES: Final[Mapping[Slip, str]] = {
    Slip.NEW: "That is this pass alone: backward() adds it to what is in .grad.",
    Slip.OLD: "That was there before: this line changes it.",
    Slip.ZERO: "This line does not clear it.",
    Slip.NONE: "There is a tensor, not None: this line does not remove it.",
    Slip.NEGATED: "The size is right and the sign is wrong.",
    Slip.MEAN: "That is the mean: the parts are added, and nothing divides them.",
    Slip.SUM: "That is the sum of the two: they are multiplied.",
    Slip.PRODUCT: "That is the product: gradients of several paths are added.",
    Slip.TIMES_RATE: "That is the gradient times the learning rate: .grad holds the gradient itself.",
    Slip.WITHOUT_RATE: "That step is without the learning rate: the gradient is multiplied by it first.",
    Slip.WRONG_WAY: "That goes up the slope: the step is subtracted.",
    Slip.UPSTREAM: "That is the gradient that arrives: the local derivative is missing.",
    Slip.LOCAL: "That is the local derivative: the gradient that arrives from upstream is missing.",
    Slip.SWAPPED: "That is the other operand's derivative: the derivative by one factor is the other factor.",
    Slip.LAST_PATH: "That is the last path alone: a value that is used twice gets the sum of both paths.",
    Slip.FIRST_PATH: "That is the first path alone: a value that is used twice gets the sum of both paths.",
    Slip.TIMES_SAMPLES: "That is a sum over the samples: this loss is a mean, which divides.",
    Slip.PER_SAMPLE: "That is the part of one sample: the parts of all samples are added.",
    Slip.STALE: "That uses the gradient from before the last pass.",
    Slip.WITHOUT_MOMENTUM: "That is the step without momentum: the optimizer's state moves the weight, too.",
    Slip.WITHOUT_DECAY: "That is the step without weight decay, which pulls the weight towards 0.",
    Slip.PLAIN_STEP: "That is a step of plain gradient descent: this optimizer scales its steps.",
    Slip.UNCHANGED: "That was there before: this line moves it.",
    Slip.MOVED: "That is a step: this line takes none.",
    Slip.ALWAYS_FALLS: "A step against the gradient can be too long: then the loss rises.",
    Slip.RUNS: "PyTorch refuses this line.",
    Slip.RAISES: "PyTorch runs this line: nothing that it needs is missing.",
}
"""Sentence for each slip, if what runs has none of its own."""

AFTER: Final[Mapping[tuple[Slip, Doing], str]] = {
    (Slip.OLD, Doing.BACKWARD): "That was there before: the pass adds its own part.",
    (Slip.OLD, Doing.NODE): "That was there before: the pass adds its own part.",
    (Slip.OLD, Doing.ZERO): "That was there before: this line clears it.",
    (Slip.OLD, Doing.CLIP): "That was there before: clipping scales every gradient down.",
    (Slip.ZERO, Doing.FORWARD): "Forward writes to no .grad: it builds a graph, and a gradient comes later.",
    (Slip.ZERO, Doing.BACKWARD): "backward() clears nothing: it adds to what is there.",
    (Slip.ZERO, Doing.UPDATE): "The update clears nothing: it reads .grad, and moves the weight.",
    (Slip.ZERO, Doing.ZERO): "Zeroing is for gradients: it leaves weights and the optimizer's state alone.",
    (Slip.ZERO, Doing.NODE): "A gradient arrives here, and it does not end here.",
    (Slip.NONE, Doing.ZERO): "This line writes zeros into the tensor: 0 is a gradient, None is none.",
    (Slip.WRONG_WAY, Doing.BACKWARD): "backward() moves no weight, and a step goes down the slope.",
    (Slip.WRONG_WAY, Doing.FORWARD): "The last update went down the slope: the loss follows.",
    (Slip.UNCHANGED, Doing.FORWARD): "The weights have moved since the last loss, so the loss changes.",
    (Slip.MOVED, Doing.BACKWARD): "backward() moves no weight: the update does.",
    (Slip.MOVED, Doing.UPDATE): "Without a gradient (None) the optimizer skips the weight, also its state.",
    (
        Slip.NEW,
        Doing.UPDATE,
    ): "That uses the last pass alone: .grad holds the sum of all since it was cleared.",
    (Slip.MEAN, Doing.NODE): "That is a mean: here the parts are added, and nothing divides them.",
}
"""Sentences for slips after one kind of line."""

FOR: Final[Mapping[tuple[Slip, Doing, Asked], str]] = {
    (
        Slip.ZERO,
        Doing.ZERO,
        Asked.GRAD,
    ): "This line sets .grad to None: there is no tensor, not one of zeros.",
    (Slip.NEW, Doing.UPDATE, Asked.MEMORY): "That is what this gradient alone makes: the old state counts.",
    (Slip.OLD, Doing.UPDATE, Asked.MEMORY): "That was there before: each step writes the optimizer's state.",
    (Slip.SUM, Doing.UPDATE, Asked.MEMORY): "That is the plain sum: the old state counts less each step.",
    (Slip.ZERO, Doing.UPDATE, Asked.MEMORY): "The state is not empty after the first step.",
    (Slip.TIMES_RATE, Doing.UPDATE, Asked.VALUE): "That is the step itself: the weight moves by it.",
    (Slip.UNCHANGED, Doing.NODE, Asked.GRADIENT): "That is what arrives: a hook replaces it.",
}
"""Sentences for slips after one kind of line that one kind of question has."""


class Place(StrEnum):
    """Where to look; the value is the id of the key that shows it."""

    LEDGER = "ledger"
    STEP = "look"
    NUMBERS = "elements"
    MANUAL = "manual"


PLACES: Final[Mapping[Asked, Place]] = {
    Asked.GRAD: Place.LEDGER,
    Asked.GRADIENT: Place.STEP,
    Asked.VALUE: Place.STEP,
    Asked.MOVE: Place.STEP,
    Asked.MEMORY: Place.NUMBERS,
}
"""Where what was asked for is shown as arithmetic."""

LOOK: Final[Mapping[Place, str]] = {
    Place.LEDGER: "Look at the ledger ({key}).",
    Place.STEP: "Look at the numbers of this step ({key}).",
    Place.NUMBERS: "Look at all numbers ({key}).",
    Place.MANUAL: "Read the manual's page on predicting ({key}).",
}
"""Sentence for each place; `key` is what is pressed or typed to go there."""


def slip_text(slip: Slip, posed: Posed) -> str:
    """Return the sentence that names a slip."""
    asked, doing = posed.question.target.asked, posed.doing
    return FOR.get((slip, doing, asked)) or AFTER.get((slip, doing)) or SENTENCES[slip]


def place_of(posed: Posed) -> Place:
    """Return where to look for what was asked."""
    place = PLACES.get(posed.question.target.asked, Place.MANUAL)
    return Place.NUMBERS if place is Place.STEP and posed.doing is Doing.BACKWARD else place
