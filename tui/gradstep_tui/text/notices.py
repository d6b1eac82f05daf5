"""Notices of the engine as sentences for the bench, with the keys that help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from gradstep.loop.script_loop import ScriptLoop
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
from gradstep_tui.text.statements import EPOCH, unit_of

if TYPE_CHECKING:
    from gradstep.frame import Frame

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


def frame_notice_text(frame: Frame, texts: Callable[[Notice, str], str] = notice_text) -> str:
    """Return the sentence for a frame's notice; empty if it has none.

    Args:
        frame: The frame.
        texts: Returns the sentence for a notice, given the word for an epoch.
    """
    if isinstance(frame.notice, RunStopped) and isinstance(frame.loop, ScriptLoop) and frame.loop.over:
        return f"the script's loop was over after {frame.notice.done:,} of {frame.notice.count:,} rounds"
    return "" if frame.notice is None else texts(frame.notice, unit_of(frame.loop))


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
