"""Reports each action of `gradstep run` as titled tensors, in PyTorch's own format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradstep.actions import Action, Backward, Forward, RunEpochs, ToggleZeroing, Update
from gradstep.frame import Frame
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.text.statements import ROUND, counted

if TYPE_CHECKING:
    from torch import Tensor


def printed(action: Action, frame: Frame) -> Iterator[str]:
    """Yield a title and a tensor for everything that is reported after `action`."""
    match action:
        case ToggleZeroing():
            yield "zeroing is commented out of the loop: gradients pile up\n"
        case RunEpochs() if isinstance(frame.loop, ScriptLoop):
            when = f"after {counted(frame.epoch, ROUND)}"
            yield from _values(frame, when)
            if len(frame.losses):
                yield f"loss of {ROUND} {len(frame.losses):,}\n{frame.losses[len(frame.losses) - 1]}\n"
        case Forward() if frame.epoch == 0:
            yield from _values(frame, "at the start")
            yield _loss(frame, "at the start")
        case Backward():
            for parameter in frame.parameters:
                yield _fact(f"{parameter.name}.grad after the first backward", parameter.grad)
        case Update():
            yield from _values(frame, "after the first update")
            for parameter in frame.parameters:
                for name, value in parameter.memory.items():
                    yield _fact(f"{parameter.name}'s {name} after the first update", value)
        case Forward() if frame.epoch == 1:
            yield _loss(frame, "after the first update")
        case RunEpochs() if frame.loop.split is not None:
            when = f"after {frame.epoch:,} epoch{'' if frame.epoch == 1 else 's'}"
            yield from _values(frame, when)
            epoch, parts = len(frame.losses), f"{frame.loop.parts} {frame.loop.batches.way}-batches"
            yield f"loss of epoch {epoch:,}, over its {parts}\n{frame.losses[epoch - 1]}\n"
        case Forward():
            more = f"after {_more_epochs(frame.epoch - 1)}, {frame.epoch:,} in all"
            yield _loss(frame, more)
            yield _fact(f"predictions {more}", frame.preds)


def _more_epochs(count: int) -> str:
    return f"{count:,} more epoch" if count == 1 else f"{count:,} more epochs"


def _values(frame: Frame, when: str) -> Iterator[str]:
    return (_fact(f"{parameter.name} {when}", parameter.value) for parameter in frame.parameters)


def _loss(frame: Frame, when: str) -> str:
    """Return the titled loss as a tensor, with the dtype of the predictions."""
    return _fact(f"loss {when}", None if frame.preds is None else frame.preds.new_tensor(frame.loss))


def _fact(title: str, value: Tensor | None) -> str:
    # An f-string would format a tensor of one number without PyTorch's own format.
    return title + "\n" + str(value) + "\n"
