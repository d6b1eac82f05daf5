"""Reports each action as one line of JSON, for other programs.

The keys of each object:

    action              the action's name, as in `gradstep.actions`: "Forward", "RunEpochs", ...
    arguments           the action's arguments by name: {"count": 100}; {} if it takes none
    epoch               number of complete epochs, or of rounds of a script's own loop
    loss                loss of the last forward pass; null before the first
    predictions         predictions of the last forward pass, as nested lists; null before the first
    parameters          for each parameter by name: {"value": nested lists, "grad": nested lists, or null if
                        `.grad` is None, "optimizer": the optimizer's state, by PyTorch's names}
    optimizer           optimizer that updates the parameters: "hand", "SGD(momentum=0.9)", ...; for a
                        script's own loop "by hand", "Adam", ...
    batches             way the samples are split: "full", "micro(2)", ...
    epoch_loss          loss of the latest epoch that has one, over all its batches if the samples are split
    zeroing             whether an epoch zeroes the gradients; null for a script's own loop that may
    learning_rate       the learning rate
    diverged_in_epoch   number of the epoch, counted from 1, whose loss is inf or nan; null if the loss is
    finite

Numbers are exact: read as doubles, they have exactly the value that PyTorch holds. JSON has no nan and no
infinity: they are written as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from msgspec import to_builtins

from gradstep.actions import Action
from gradstep.frame import Frame
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.commands.run import diverged_in
from gradstep_tui.text.statements import optimizer_names, zeroes

if TYPE_CHECKING:
    from torch import Tensor

Numbers: TypeAlias = "float | str | list[Numbers] | None"


def json_line(action: Action, frame: Frame) -> Iterator[str]:
    """Yield the one line for an action and the frame after it."""
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
        "optimizer": (
            optimizer_names(frame.loop) if isinstance(frame.loop, ScriptLoop) else frame.loop.optimizer.text
        ),
        "batches": frame.loop.batches.text,
        "zeroing": zeroes(frame.loop),
        "learning_rate": frame.learning_rate,
        "diverged_in_epoch": diverged_in(frame),
    }
    yield json.dumps(facts, allow_nan=False)


def _numbers(tensor: Tensor | None) -> Numbers:
    return None if tensor is None else _exact(tensor.tolist())


def _exact(value: Numbers) -> Numbers:
    if isinstance(value, list):
        return [_exact(element) for element in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
