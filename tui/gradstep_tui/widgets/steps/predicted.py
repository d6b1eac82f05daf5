"""A prediction beside its outcome, at the top of the step that it was about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.predictions.outcome_texts import reason_texts, side_by_side, worth_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.predictions.exercise import Prediction


def prediction_lines(prediction: Prediction, frame: Frame, width: int) -> list[Line]:
    """Return prediction and outcome side by side, and why an answer is wrong."""
    name, given, truth = side_by_side(prediction, frame)
    role = "mark" if prediction.is_right else "warn"
    sides = [
        *(Span("you ", "label"), Span(given, role), Span("   PyTorch ", "label"), Span(truth, "key")),
        *(Span("   "), Span(worth_text(prediction), role)),
    ]
    together = line(Span(f"{name}   ", "label"), *sides)
    head = [together] if length(together) <= width else [line(Span(name, "label")), line(*sides)]
    reason = " ".join(reason_texts(prediction, SIGNS))
    return [*head, *(wrapped(reason, width) if reason else [])]
