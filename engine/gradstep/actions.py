"""Actions of a learner, as data. Applying an action is the only way to change a session."""

from __future__ import annotations

import sys
from typing import TypeAlias

from msgspec import Struct

from gradstep.errors import BadInput
from gradstep.loop.batches import Batches
from gradstep.loop.literals import shown
from gradstep.loop.loop import Kind, StatementKey
from gradstep.loop.optimizers import Optimizer

MOST_EPOCHS = 1_000_000
"""Largest number of epochs of one run."""

LARGEST_FLOAT = sys.float_info.max


class _Action(Struct, frozen=True, tag=True, tag_field="do", forbid_unknown_fields=True):
    """Base of all actions; as JSON an action is e.g. `{"do": "RunEpochs", "count": 100}`."""


class Forward(_Action, frozen=True):
    """Compute the predictions and the loss."""


class Backward(_Action, frozen=True):
    """Run the whole backward pass; inside a pass, run the rest of it."""


class StepNode(_Action, frozen=True):
    """Go one event forward in the backward pass; starts the pass if none is under way."""


class StepTo(_Action, frozen=True):
    """Go ahead to an event of the backward pass; starts the pass if none is under way."""

    event: int
    """Number of the event, counted from 1."""


class StepNodeBack(_Action, frozen=True):
    """Go one event back in the backward pass; before its first event, the pass has not begun."""


class Update(_Action, frozen=True):
    """Move every parameter against its gradient."""


class Zero(_Action, frozen=True):
    """Set every gradient to zero in place, or to None, as the loop's own zeroing does."""


class NextLine(_Action, frozen=True):
    """Run the loop's next enabled statement."""


class RunEpochs(_Action, frozen=True):
    """Run the loop `count` times; finishing an epoch under way counts as the first."""

    count: int
    """Number of epochs, from 1 to `MOST_EPOCHS`."""


class RunOuter(_Action, frozen=True):
    """Run rounds of a script's own loop until the loop around it begins its next round."""


class ToggleZeroing(_Action, frozen=True):
    """Comment out the loop's zeroing, or bring it back."""


class ToggleSetToNone(_Action, frozen=True):
    """Switch zeroing between writing zeros and setting each `.grad` to None."""


class ToggleStatement(_Action, frozen=True):
    """Comment out a statement of the loop, or bring it back."""

    kind: StatementKey


class MoveStatement(_Action, frozen=True):
    """Move a statement one place in the loop."""

    kind: StatementKey
    steps: int
    """Direction: -1 for up, 1 for down."""


class SetLearningRate(_Action, frozen=True):
    """Set the learning rate to a positive finite number."""

    value: float


class SetOptimizer(_Action, frozen=True):
    """Let an optimizer update the parameters; its state begins empty."""

    optimizer: Optimizer


class SetBatches(_Action, frozen=True):
    """Split the samples into micro-batches or mini-batches, or join them; the loop restarts at its top."""

    batches: Batches


class RaiseLearningRate(_Action, frozen=True):
    """Raise the learning rate to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class LowerLearningRate(_Action, frozen=True):
    """Lower the learning rate to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class Reset(_Action, frozen=True):
    """Go back to the start values; the loop and the learning rate stay. It can be undone."""


class Undo(_Action, frozen=True):
    """Go back to the state before the last action, bit for bit; the actions ahead can be redone."""


class Redo(_Action, frozen=True):
    """Go ahead by one undone action, on the branch that was left last, bit for bit."""


class GoTo(_Action, frozen=True):
    """Go to any point of the history, on any branch, bit for bit."""

    point: int
    """Number of the point, counted from 0, the start, in the order in which points were first reached."""

    inside: int = 0
    """Number of epochs of the run, or of events of the pass, that led to the point; 0 for its end."""


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
)

RefusalKey: TypeAlias = type[Action] | MoveStatement
"""Key of an action among refusals: its class, or the move itself."""


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
