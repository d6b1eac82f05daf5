"""Actions of a learner, as data. Applying an action is the only way to change a session."""

from __future__ import annotations

import sys
from typing import TypeAlias

from gradstep.errors import BadInput
from gradstep.loop.batches import Batches
from gradstep.loop.literals import shown
from gradstep.loop.loop import Kind, StatementKey
from gradstep.loop.optimizers import Optimizer
from gradstep.loop.run_actions import ActionData
from gradstep.loop.run_actions import Backward as Backward
from gradstep.loop.run_actions import Forward as Forward
from gradstep.loop.run_actions import NextLine as NextLine
from gradstep.loop.run_actions import RunEpochs as RunEpochs
from gradstep.loop.run_actions import RunOuter as RunOuter
from gradstep.loop.run_actions import StepNode as StepNode
from gradstep.loop.run_actions import StepTo as StepTo
from gradstep.loop.run_actions import Update as Update
from gradstep.loop.run_actions import Zero as Zero
from gradstep.predictions.question import Question

MOST_EPOCHS = 1_000_000
"""Largest number of epochs of one run."""

LARGEST_FLOAT = sys.float_info.max


class StepNodeBack(ActionData, frozen=True):
    """Go one event back in the backward pass; before its first event, the pass has not begun."""


class ToggleZeroing(ActionData, frozen=True):
    """Comment out the loop's zeroing, or bring it back."""


class ToggleSetToNone(ActionData, frozen=True):
    """Switch zeroing between writing zeros and setting each `.grad` to None."""


class ToggleStatement(ActionData, frozen=True):
    """Comment out a statement of the loop, or bring it back."""

    kind: StatementKey


class MoveStatement(ActionData, frozen=True):
    """Move a statement one place in the loop."""

    kind: StatementKey
    steps: int
    """Direction: -1 for up, 1 for down."""


class SetLearningRate(ActionData, frozen=True):
    """Set the learning rate to a positive finite number."""

    value: float


class SetOptimizer(ActionData, frozen=True):
    """Let an optimizer update the parameters; its state begins empty."""

    optimizer: Optimizer


class SetBatches(ActionData, frozen=True):
    """Split the samples into micro-batches or mini-batches, or join them; the loop restarts at its top."""

    batches: Batches


class RaiseLearningRate(ActionData, frozen=True):
    """Raise the learning rate to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class LowerLearningRate(ActionData, frozen=True):
    """Lower the learning rate to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class Reset(ActionData, frozen=True):
    """Go back to the start values; the loop and the learning rate stay. It can be undone."""


class Undo(ActionData, frozen=True):
    """Go back to the state before the last action, bit for bit; the actions ahead can be redone."""


class Redo(ActionData, frozen=True):
    """Go ahead by one undone action, on the branch that was left last, bit for bit."""


class GoTo(ActionData, frozen=True):
    """Go to any point of the history, on any branch, bit for bit."""

    point: int
    """Number of the point, counted from 0, the start, in the order in which points were first reached."""

    inside: int = 0
    """Number of epochs of the run, or of events of the pass, that led to the point; 0 for its end."""


class Answer(ActionData, frozen=True):
    """Commit a prediction, and run what it is about."""

    question: Question
    given: str
    """The answer as it was typed: a number, `None`, or a choice."""


Action: TypeAlias = (
    Forward
    | Backward
    | StepNode
    | StepTo
    | StepNodeBack
    | Update
    | Zero
    | NextLine
    | RunEpochs
    | RunOuter
    | ToggleZeroing
    | ToggleSetToNone
    | ToggleStatement
    | MoveStatement
    | SetLearningRate
    | SetOptimizer
    | SetBatches
    | RaiseLearningRate
    | LowerLearningRate
    | Reset
    | Undo
    | Redo
    | GoTo
    | Answer
)

RefusalKey: TypeAlias = type[Action] | MoveStatement
"""Key of an action among refusals: its class, or the move itself."""


def ran_by(action: Action) -> Action:
    """Return the action that an answer has run last; any other action is returned as it is."""
    return action.question.after[-1] if isinstance(action, Answer) else action


def begun_by(action: Action) -> Action:
    """Return the action that an answer runs first; any other action is returned as it is."""
    asks = isinstance(action, Answer) and isinstance(action.question, Question)
    return action.question.after[0] if asks and action.question.after else action  # type: ignore[union-attr]


def refusal_key(action: Action) -> RefusalKey:
    """Return the key under which `Frame.refusals` holds the refusal of an action.

    The key is the action's class. A move of a statement is its own key: whether the statement can move
    depends on the statement and on its new place. A move with values of a wrong type has its class as key.
    """
    match action:
        case MoveStatement(str() | int(), int()):
            return action
        case _:
            return type(action)


def checked_kind(kind: StatementKey) -> Kind:
    """Return a kind of statement of the built-in loop.

    Raises:
        BadInput: `kind` is not one of `Kind`.
    """
    try:
        return Kind(str(kind))
    except ValueError:
        raise BadInput(f"{shown(kind)} is not a line of the loop: it has {', '.join(Kind)}") from None


def checked_key(key: StatementKey, count: int) -> int:
    """Return the key of a statement of a script's own loop of `count` statements.

    Raises:
        BadInput: the loop has no such statement.
    """
    if isinstance(key, bool) or not isinstance(key, int) or not 0 <= key < count:
        has = f"this loop has the lines 1 to {count}, with the keys 0 to {count - 1}"
        raise BadInput(f"{has}: no line has the key {shown(key)}")
    return key


def checked_steps(steps: int) -> int:
    """Return the direction in which a statement moves: -1 for up, 1 for down.

    Raises:
        BadInput: `steps` is neither -1 nor 1.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps not in (-1, 1):
        raise BadInput(f"a line cannot move by {shown(steps)}: use -1 for up or 1 for down")
    return steps


def checked_rate(value: float) -> float:
    """Return a learning rate as a float.

    Raises:
        BadInput: `value` is not a positive finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= LARGEST_FLOAT:
        raise _bad_rate(shown(value))
    return float(value)


def checked_count(count: int) -> int:
    """Return a number of epochs.

    Raises:
        BadInput: `count` is not a whole number from 1 to `MOST_EPOCHS`.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_EPOCHS:
        raise _bad_count(shown(count))
    return count


def learning_rate_from(text: str) -> float:
    """Return the learning rate that a text says.

    Raises:
        BadInput: `text` is not a positive finite number.
    """
    try:
        return checked_rate(float(text))
    except (ValueError, BadInput):
        raise _bad_rate(_quoted(text)) from None


def epochs_from(text: str) -> int:
    """Return the number of epochs that a text says; `1,000` and `1_000` are 1000.

    Raises:
        BadInput: `text` is not a whole number from 1 to `MOST_EPOCHS`.
    """
    plain = text.strip().replace("_", "").replace(",", "")
    try:
        return checked_count(int(plain) if plain.isascii() and plain.isdigit() else 0)
    except (ValueError, BadInput):
        raise _bad_count(_quoted(text)) from None


def _bad_rate(given: str) -> BadInput:
    return BadInput(f"{given} is not a learning rate: use a positive finite number, e.g. 1e-5")


def _bad_count(given: str) -> BadInput:
    return BadInput(f"{given} is not a number of epochs: use a whole number from 1 to {MOST_EPOCHS:,}")


def _quoted(text: str) -> str:
    return shown(text.strip()) if text.strip() else "an empty text"
