"""A question in words, with what is known and the help that comes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gradstep.loop.loop import Statement
from gradstep.loop.script_loop import ScriptStatement
from gradstep.predictions.exercise import Exercise, Factor, Help, Part, Worked
from gradstep.predictions.judging import Doing
from gradstep.predictions.question import CHOICES, Asked
from gradstep_tui.text.predictions.target_names import numbers_text, reply_text, target_text
from gradstep_tui.text.statements import QUOTED, code, quoted
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.frame import Frame

QUESTIONS: Final[Mapping[Asked, str]] = {
    Asked.VALUE: "What is {name} after {line}?",
    Asked.MOVE: "How far does {line} move {name}? Give the value after it minus the value now.",
    Asked.GRAD: "What is {name} after {line}?",
    Asked.MEMORY: "What is {name} after {line}?",
    Asked.GRADIENT: "What is {name} after {line}?",
    Asked.LOSS: "What is the loss after {line}?",
    Asked.DIRECTION: "After {line}, is the loss lower or higher than the last one?",
    Asked.OUTCOME: "Does {line} run, or does PyTorch raise an error?",
}
"""Question for each thing that is asked for."""

FACTORS: Final[Mapping[Part, str]] = {
    Part.PRESENT: "It is {numbers} now.",
    Part.GRADIENT: "Its .grad is {numbers}.",
    Part.RATE: "The learning rate is {numbers}.",
    Part.MEMORY: "Its {name} is {numbers}.",
    Part.BROUGHT: "This pass brings {numbers}.",
    Part.STEP: "Learning rate times gradient is {numbers}.",
    Part.UPSTREAM: "Upstream arrives {numbers}, the gradient of {name}.",
    Part.LOCAL: "The local derivative is {numbers}, from {name}.",
    Part.PATH: "What is added: {numbers}.",
    Part.LOSS: "The last loss is {numbers}.",
}
"""Sentence for each number that is known or given."""

WITHOUT_NAME: Final[Mapping[Part, str]] = {
    Part.UPSTREAM: "Upstream arrives {numbers}.",
    Part.LOCAL: "The local derivative is {numbers}.",
}
"""Sentences for numbers whose origin has no name in the script."""

ALL_LINES: Final = "the next line"
NODE: Final = "the next node, {event}"

CHOSEN: Final[Mapping[Asked, str]] = {
    Asked.DIRECTION: "Answer falls, rises or stays; one letter is enough.",
    Asked.OUTCOME: "Answer runs or raises; two letters are enough.",
}
NUMBER: Final = "Answer a number; three digits are enough."
NUMBER_OR_NONE: Final = "Answer a number (three digits are enough) or None."

DONE: Final = "Two in a row were right: you can do this."
LOOKED: Final = "The session has shown this number already: the answer is marked as given after looking."


def question_text(exercise: Exercise, frame: Frame) -> str:
    """Return the question as a sentence."""
    target = exercise.question.target
    return QUESTIONS[target.asked].format(name=target_text(target, frame), line=line_text(exercise, frame))


def line_text(exercise: Exercise, frame: Frame) -> str:
    """Return what runs: a line of the loop in its own words, or a node of the pass."""
    if exercise.posed.doing is Doing.NODE:
        return NODE.format(event=exercise.event)
    statement = next((each for each in frame.loop.statements if each.key == exercise.statement), None)
    match statement:
        case None:
            return ALL_LINES
        case ScriptStatement():
            return f"line {statement.line}, {quoted(statement)}"
        case Statement():
            text = code(statement)
            return text if len(text) <= QUOTED else f"the {statement.kind}"


def accepted_text(exercise: Exercise) -> str:
    """Return what is accepted as an answer."""
    asked = exercise.question.target.asked
    if asked in CHOICES:
        return CHOSEN[asked]
    return NUMBER_OR_NONE if asked in (Asked.GRAD, Asked.MEMORY) else NUMBER


def help_texts(exercise: Exercise, frame: Frame) -> Iterator[str]:
    """Yield sentences on what is known, what is given, the example, and how far the learner is."""
    known = [factor_text(factor) for factor in (*exercise.known, *exercise.given)]
    if known:
        yield " ".join(known)
    if exercise.worked is not None:
        yield example_text(exercise.worked, frame)
    if exercise.has_looked:
        yield LOOKED
    elif exercise.is_done and exercise.help is Help.ALONE:
        yield DONE


def factor_text(factor: Factor) -> str:
    """Return a sentence for one number that is known or given."""
    numbers = numbers_text(factor.numbers)
    if factor.part is Part.RATE and factor.numbers[0] is not None:
        numbers = rate(factor.numbers[0])
    table = FACTORS if factor.name else {**FACTORS, **WITHOUT_NAME}
    return table[factor.part].format(numbers=numbers, name=factor.name)


def example_text(worked: Worked, frame: Frame) -> str:
    """Return an element that is worked out, as sentences."""
    factors = " ".join(factor_text(factor) for factor in worked.factors)
    return f"Example, {target_text(worked.target, frame)}: {factors} Then it is {reply_text(worked.truth)}."
