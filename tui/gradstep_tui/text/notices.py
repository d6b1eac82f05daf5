"""Notices of the engine as sentences for the bench, with the keys that help."""

from __future__ import annotations

from typing import assert_never

from gradstep.notices import (
    InsideAction,
    Notice,
    NotRepeatable,
    PassedOver,
    PassRaised,
    RunDiverged,
    RunStopped,
    TraceSummarized,
    Unit,
)
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.statements import EPOCH

LOWER, ZEROING, REDO = (SIGNS[key_id] for key_id in ("lower_rate", "zeroing", "redo"))
"""Signs of the keys that help."""


def notice_text(notice: Notice, unit: str = EPOCH) -> str:
    """Return the sentence for a notice; `unit` is the word for an epoch."""
    match notice:
        case RunDiverged(epoch, loss, zeroing=True):
            return (
                f"diverged in {unit} {epoch:,}: loss {loss}; steps overshoot, "
                f"lower the learning rate ({LOWER})"
            )
        case RunDiverged(epoch, loss):
            return (
                f"diverged in {unit} {epoch:,}: loss {loss}; gradients pile up ({ZEROING}), "
                f"or lr is too high ({LOWER})"
            )
        case InsideAction(Unit.EPOCH, number, count):
            return f"inside a run: {unit} {number:,} of {count:,}; {REDO} goes on to its end"
        case InsideAction(_, number, count):
            return f"inside a pass: event {number:,} of {count:,}; {REDO} goes on to its end"
        case TraceSummarized(tensors, limit):
            return (
                f"the pass made more than {limit / 1e6:,g} MB: only summaries of {tensors:,} tensors "
                "are kept (--trace-limit)"
            )
        case _:
            return plain_notice_text(notice, unit)


def plain_notice_text(notice: RunStopped | PassedOver | NotRepeatable | PassRaised, unit: str = EPOCH) -> str:
    """Return the sentence for a notice that no key or option can help with."""
    match notice:
        case RunStopped(done, count):
            return f"stopped after {done:,} of {count:,} {unit}s"
        case PassedOver(missing, parameters) if missing == parameters:
            return "optimizer.step() skipped every parameter: .grad is None"
        case PassedOver(missing, parameters):
            return f"optimizer.step() skipped {missing} of {parameters} parameters: .grad is None"
        case NotRepeatable():
            return "the model keeps state outside PyTorch, which undo does not restore"
        case PassRaised(error, lesson):
            return f"the pass raised {error}{'' if error.endswith('.') else '.'} {lesson}".rstrip()
        case _:
            assert_never(notice)
