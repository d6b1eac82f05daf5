"""What an action has to be in a file, so that doing it again leads to the same point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.actions import Action, RunEpochs

if TYPE_CHECKING:
    from gradstep.training.state import State


def repeatable(action: Action, before: State, after: State, refused: str = "") -> Action:
    """Give the action that leads from `before` to `after` by itself.

    It is the action as it was, but for a run of epochs that the learner stopped: its count becomes that of
    the epochs that ran. One that ended because the loss diverged, or PyTorch refused, ends there again.
    """
    match action:
        case RunEpochs(count) if not (refused or after.diverged):
            ran = after.epoch - before.epoch - (before.loop.ended_by_rest() - 1)
            return RunEpochs(ran) if 0 < ran < count else action
        case _:
            return action
