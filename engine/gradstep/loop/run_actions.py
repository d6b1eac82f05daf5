"""Actions that run statements of the loop, as data. Importing this module does not import torch."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class ActionData(Struct, frozen=True, tag=True, tag_field="do", forbid_unknown_fields=True):
    """Base of all actions; as JSON an action is e.g. `{"do": "RunEpochs", "count": 100}`."""


class Forward(ActionData, frozen=True):
    """Compute the predictions and the loss."""


class Backward(ActionData, frozen=True):
    """Run the whole backward pass; inside a pass, run the rest of it."""


class StepNode(ActionData, frozen=True):
    """Go one event forward in the backward pass; starts the pass if none is under way."""


class StepTo(ActionData, frozen=True):
    """Go ahead to an event of the backward pass; starts the pass if none is under way."""

    event: int
    """Number of the event, counted from 1."""


class Update(ActionData, frozen=True):
    """Move every parameter against its gradient."""


class Zero(ActionData, frozen=True):
    """Set every gradient to zero in place, or to None, as the loop's own zeroing does."""


class NextLine(ActionData, frozen=True):
    """Run the loop's next enabled statement."""


class RunEpochs(ActionData, frozen=True):
    """Run the loop `count` times; finishing an epoch under way counts as the first."""

    count: int
    """Number of epochs, from 1 to `MOST_EPOCHS`."""


class RunOuter(ActionData, frozen=True):
    """Run rounds of a script's own loop until the loop around it begins its next round."""


RunAction: TypeAlias = (
    Forward | Backward | StepNode | StepTo | Update | Zero | NextLine | RunEpochs | RunOuter
)
"""An action that runs statements."""
