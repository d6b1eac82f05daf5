"""Names of what a question asks for, with the table's names for rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.predictions.judging import Reply
from gradstep.predictions.question import Asked, Choice, Target
from gradstep.tensors.element_index import element_name
from gradstep_tui.text.tensors.digits import number_text

if TYPE_CHECKING:
    from gradstep.frame import Frame

DIGITS: Final = 5
"""Significant digits of the numbers that are shown: more than an answer needs."""

NAMES: Final = {
    Asked.GRADIENT: "the gradient of {element}",
    Asked.MEMORY: "{part} of {element}",
    Asked.LOSS: "the loss",
    Asked.DIRECTION: "the loss",
    Asked.OUTCOME: "the line",
}
"""Name of what is asked for, if it is more than an element."""


def target_text(target: Target, frame: Frame) -> str:
    """Return the name of what is asked for: `w.grad[apples, rainfall]`."""
    suffix = ".grad" if target.asked is Asked.GRAD else ""
    element = element_name(f"{target.name}{suffix}", target.index)
    labels = next((one.labels for one in frame.parameters if one.name == target.name), ())
    if target.asked is not Asked.GRADIENT and len(labels) == len(target.index) and any(labels):
        places = (names[at] if names else str(at) for names, at in zip(labels, target.index, strict=True))
        element = f"{target.name}{suffix}[{', '.join(places)}]"
    if target.asked is Asked.GRADIENT and not target.name.isidentifier():
        element = element_name(f"({target.name})" if target.name else "the operand", target.index)
    return NAMES.get(target.asked, "{element}").format(element=element, part=target.part)


def reply_text(reply: Reply) -> str:
    """Return a reply as text: a number in a few digits, `None`, or a choice."""
    if isinstance(reply, Choice):
        return reply.value
    return number_text(reply, DIGITS)


def numbers_text(numbers: Sequence[float | None]) -> str:
    """Return numbers as text, separated by commas."""
    return ", ".join(number_text(number, DIGITS) for number in numbers)
