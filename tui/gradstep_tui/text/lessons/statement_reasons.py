"""A paragraph for each kind of statement: why a training loop has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.statement_steps.statement_facts import ForwardStep, UpdateStep, ZeroStep
from gradstep_tui.text.lessons.about_texts import is_fresh

if TYPE_CHECKING:
    from gradstep.frame import Frame

START: Final = (
    "A training loop repeats four steps. Forward computes predictions and from them the loss, one number "
    "that says how wrong they are. Backward computes for each parameter how the loss changes with it: its "
    "gradient. The update moves each parameter a little against its gradient. Zeroing makes room for the "
    "next gradient."
)
REASONS: Final[Mapping[type, str]] = {
    ForwardStep: (
        "The model makes a prediction of each row of inputs, and the loss makes one number of all errors, "
        "the differences to the targets; training is to make it small. On the way PyTorch notes every "
        "operation in a graph: backward will go through it from its end to its beginning."
    ),
    UpdateStep: (
        "A gradient says how the loss changes if its number grows by a little. So each number moves "
        "against its gradient: down if that is above 0, up if it is below. The learning rate says how "
        "far. The gradient holds for small steps only; with too large a rate the steps overshoot, and the "
        "loss grows."
    ),
    ZeroStep: (
        "backward() adds to what .grad holds and never overwrites it. Zeroing makes sure that the next "
        "update uses the gradient of one pass; without it, each update would use the sum of all passes so "
        "far."
    ),
}
"""Paragraph for each kind of statement; there is none for one that only a script has."""


def statement_reason(frame: Frame) -> str:
    """Return why the statement that ran last is there, or what a loop is before anything ran; or nothing."""
    step = frame.statement
    if step is None:
        return START if is_fresh(frame) else ""
    is_other = (isinstance(step, ZeroStep) and not step.zeroes) or (
        isinstance(step, UpdateStep) and not step.by_rule
    )
    return "" if is_other else REASONS.get(type(step), "")
