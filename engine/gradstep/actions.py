"""What a learner can do, as data. Applying an action is the only way to change a session."""

from __future__ import annotations

import sys
from typing import TypeAlias

from msgspec import Struct

from gradstep.errors import BadInput
from gradstep.loop.batches import Batches
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import Optimizer

MOST_EPOCHS = 1_000_000
"""The largest N of one run."""

LARGEST_FLOAT = sys.float_info.max


class _Action(Struct, frozen=True, tag=True, tag_field="do", forbid_unknown_fields=True):
    """What all actions share: as JSON, `{"do": "RunEpochs", "count": 100}`."""


class Forward(_Action, frozen=True):
    """Compute the predictions and the loss."""


class Backward(_Action, frozen=True):
    """Run the whole backward pass; inside a pass, run the rest of it."""


class StepNode(_Action, frozen=True):
    """Go one event forward in the backward pass; starts the pass where none is under way."""


class StepTo(_Action, frozen=True):
    """Go ahead to an event of the backward pass; starts the pass where none is under way."""

    event: int
    """Counted from 1."""


class StepNodeBack(_Action, frozen=True):
    """Go one event back in the backward pass; before its first event the pass has not begun."""


class Update(_Action, frozen=True):
    """Move every parameter against its gradient."""


class Zero(_Action, frozen=True):
    """Set every gradient to zero, in place, or to None: as the loop's zeroing does it."""


class NextLine(_Action, frozen=True):
    """Run the loop's next enabled statement."""


class RunEpochs(_Action, frozen=True):
    """Run the loop `count` times; an epoch under way counts as the first."""

    count: int


class ToggleZeroing(_Action, frozen=True):
    """Comment the loop's zeroing out, or in again."""


class ToggleSetToNone(_Action, frozen=True):
    """Have zeroing set each `.grad` to None instead of writing zeros, or the other way round again."""


class ToggleStatement(_Action, frozen=True):
    """Comment a statement of the loop out, or in again."""

    kind: Kind


class MoveStatement(_Action, frozen=True):
    """Move a statement one place in the loop."""

    kind: Kind
    steps: int
    """-1 for up, 1 for down."""


class SetLearningRate(_Action, frozen=True):
    """Set the learning rate: positive, finite."""

    value: float


class SetOptimizer(_Action, frozen=True):
    """Have an optimizer update the parameters; it begins with nothing remembered."""

    optimizer: Optimizer


class SetBatches(_Action, frozen=True):
    """Split the samples into micro-batches or mini-batches, or no longer; the loop begins at its top."""

    batches: Batches


class RaiseLearningRate(_Action, frozen=True):
    """Go up to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class LowerLearningRate(_Action, frozen=True):
    """Go down to the next of ..., 1, 2, 5, 10, 20, 50, ..."""


class Reset(_Action, frozen=True):
    """Go back to the start values; can be undone."""


class Undo(_Action, frozen=True):
    """Go back to before the last action, bit for bit; what lies ahead stays."""


class Redo(_Action, frozen=True):
    """Go ahead again on the line that was left last, bit for bit."""


class GoTo(_Action, frozen=True):
    """Go to any point of the history, on any branch, bit for bit."""

    point: int
    """Its number: points are counted from 0, the start, in the order in which they were first reached."""

    inside: int = 0
    """How many epochs of the run that led to the point, or up to which event of its pass; 0 for its end."""


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


def refusal_key(action: Action) -> str:
    """Give the name under which `Frame.refusals` has the reason against an action.

    It is the class's name; whether a statement can be moved depends on which one, and where to.
    """
    match action:
        case MoveStatement(kind, steps):
            return f"MoveStatement {kind} {steps}"
        case _:
            return type(action).__name__


def checked_kind(kind: Kind) -> Kind:
    """Give a kind of statement.

    Raises:
        BadInput: `kind` is none.
    """
    try:
        return Kind(kind)
    except ValueError:
        raise BadInput(f"{_shown(kind)} is no line of the loop: it has {', '.join(Kind)}") from None


def checked_steps(steps: int) -> int:
    """Give the way in which a statement moves.

    Raises:
        BadInput: `steps` is neither -1 nor 1.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps not in (-1, 1):
        raise BadInput(f"{_shown(steps)} is no way to move a line: it must be -1, up, or 1, down")
    return steps


def checked_rate(value: float) -> float:
    """Give a learning rate as a float.

    Raises:
        BadInput: `value` is not a positive finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= LARGEST_FLOAT:
        raise BadInput(f"{_shown(value)} is no learning rate: it must be a positive finite number, e.g. 1e-5")
    return float(value)


def checked_count(count: int) -> int:
    """Give a number of epochs.

    Raises:
        BadInput: `count` is not a whole number from 1 to `MOST_EPOCHS`.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_EPOCHS:
        raise BadInput(
            f"{_shown(count)} is no number of epochs: it must be a whole number from 1 to {MOST_EPOCHS:,}"
        )
    return count


def learning_rate_from(text: str) -> float:
    """Read a learning rate.

    Raises:
        BadInput: `text` is not a positive finite number.
    """
    try:
        return checked_rate(float(text))
    except (ValueError, BadInput):
        raise BadInput(
            f"{_typed(text)} is no learning rate: type a positive finite number, e.g. 1e-5"
        ) from None


def epochs_from(text: str) -> int:
    """Read a number of epochs.

    Raises:
        BadInput: `text` is not a whole number from 1 to `MOST_EPOCHS`.
    """
    plain = text.strip().replace("_", "").replace(",", "")
    try:
        return checked_count(int(plain) if plain.isascii() and plain.isdigit() else 0)
    except (ValueError, BadInput):
        raise BadInput(
            f"{_typed(text)} is no number of epochs: type a whole number from 1 to {MOST_EPOCHS:,}"
        ) from None


def _shown(value: object) -> str:
    """Give a value that cannot be used as a message names it; a very long one, its start."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of that length"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _typed(text: str) -> str:
    return _shown(text.strip()) if text.strip() else "nothing"
