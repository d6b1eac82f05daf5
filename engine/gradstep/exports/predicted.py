"""A prediction as a sentence, for comments in exports."""

from __future__ import annotations

from gradstep.predictions.exercise import Prediction
from gradstep.predictions.judging import Grade, Reply
from gradstep.predictions.question import Asked, Choice, Target
from gradstep.tensors.element_index import element_name

ASKED = {
    Asked.LOSS: "loss",
    Asked.DIRECTION: "the loss",
    Asked.OUTCOME: "these lines",
}


def prediction_words(prediction: Prediction) -> str:
    """Return what was predicted, what PyTorch gave, and what the prediction was worth."""
    posed = prediction.posed
    name = target_name(posed.question.target)
    given, truth = _said(prediction.given.strip()), _said(_text(posed.truth))
    raised = f" ({posed.raised})" if posed.truth is Choice.RAISES else ""
    return f"Prediction, before it ran: {name} {given}. PyTorch: {name} {truth}{raised}. {_worth(prediction)}"


def target_name(target: Target) -> str:
    """Return the name of what is asked for, as Python writes it where Python has one."""
    element = element_name(target.name, target.index)
    match target.asked:
        case Asked.GRAD:
            return element_name(f"{target.name}.grad", target.index)
        case Asked.MEMORY:
            return f"{target.part} of {element}"
        case Asked.MOVE:
            return f"the move of {element}"
        case Asked.GRADIENT:
            return f"the gradient of {element_name(target.name or 'the operand', target.index)}"
        case Asked.VALUE:
            return element
        case asked:
            return ASKED[asked]


def _said(text: str) -> str:
    return text if text in {choice.value for choice in Choice} else f"is {text}"


def _text(reply: Reply) -> str:
    return f"{reply:.6g}" if isinstance(reply, float) else str(reply)


def _worth(prediction: Prediction) -> str:
    match prediction.judged.grade, prediction.judged.slip:
        case Grade.RIGHT, _:
            return "Right."
        case _, None:
            return "Wrong, by no slip that is known."
        case _, slip:
            return f"Wrong, by the slip `{slip}`."
