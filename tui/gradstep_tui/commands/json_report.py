"""One JSON object per action, on a line of its own, for other programs.

The keys of each object:

    action              the action's name, as in `gradstep.actions`: "Forward", "RunEpochs", ...
    arguments           its arguments by name: {"count": 100}; {} where it takes none
    epoch               epochs run to their end
    loss                the last forward pass's loss; null before the first
    predictions         the last forward pass's predictions, nested lists; null before the first
    parameters          by name: {"value": nested lists, "grad": nested lists, null where `.grad` is None,
                        "optimizer": what the optimizer remembers, by PyTorch's names}
    optimizer           what updates the parameters: "hand", "SGD(momentum=0.9)", ...
    batches             how the samples are split: "full", "micro(2)", ...
    epoch_loss          the loss of the last epoch that has one; of its parts, where the samples are split
    zeroing             whether an epoch zeroes the gradients
    learning_rate       the learning rate
    diverged_in_epoch   the epoch, counted from 1, whose loss is inf or nan; null where the loss is finite

Numbers are exact: read back as doubles, they have the value that PyTorch holds, bit for bit. JSON knows no
nan and no infinity: these are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from msgspec import to_builtins

from gradstep.actions import Action
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep_tui.commands.run import diverged_in

if TYPE_CHECKING:
    from torch import Tensor

Numbers: TypeAlias = "float | str | list[Numbers] | None"


def json_line(action: Action, frame: Frame) -> Iterator[str]:
    """Give the one line for an action and the frame after it."""
    facts = {
        "action": type(action).__name__,
        "arguments": {name: value for name, value in to_builtins(action).items() if name != "do"},
        "epoch": frame.epoch,
        "loss": _exact(frame.loss),
        "epoch_loss": _exact(frame.losses[len(frame.losses) - 1]) if len(frame.losses) else None,
        "predictions": _numbers(frame.preds),
        "parameters": {
            parameter.name: {
                "value": _numbers(parameter.value),
                "grad": _numbers(parameter.grad),
                "optimizer": {name: _numbers(value) for name, value in parameter.memory.items()},
            }
            for parameter in frame.parameters
        },
        "optimizer": frame.loop.optimizer.text,
        "batches": frame.loop.batches.text,
        "zeroing": frame.loop.is_enabled(Kind.ZERO),
        "learning_rate": frame.learning_rate,
        "diverged_in_epoch": diverged_in(frame),
    }
    yield json.dumps(facts, allow_nan=False)


def _numbers(tensor: Tensor | None) -> Numbers:
    return None if tensor is None else _exact(tensor.tolist())


def _exact(value: Numbers) -> Numbers:
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
