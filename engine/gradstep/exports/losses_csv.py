"""Writes the loss history as comma-separated values."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from gradstep.actions import Reset
from gradstep.exports.recording.moments import Moment
from gradstep.training.loss_history import Losses


def losses_text(losses: Losses, undefined: Collection[int] = ()) -> str:
    """Return the losses as CSV, in full precision, with epochs counted from 1.

    Args:
        losses: Loss of each epoch; nan if the loss is nan, and also if none was computed.
        undefined: Epochs, counted from 0, whose computed loss is nan. Other epochs with nan get an empty
            field.
    """
    fields = (
        "" if math.isnan(losses[epoch]) and epoch not in undefined else repr(losses[epoch])
        for epoch in range(len(losses))
    )
    return "epoch,loss\n" + "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(fields, 1))


def undefined_losses(moments: Sequence[Moment]) -> set[int]:
    """Return the epochs, counted from 0, whose loss was computed and is nan."""
    undefined: set[int] = set()
    for moment in moments:
        after = moment.after
        if isinstance(moment.action, Reset):
            undefined.clear()
        if after.preds is not moment.before.preds and after.loss is not None and math.isnan(after.loss):
            undefined.add(len(after.losses) - 1)
    return undefined
