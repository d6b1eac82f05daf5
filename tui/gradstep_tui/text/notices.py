"""Notices of the engine as sentences for the bench, with the keys that help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, assert_never

from gradstep.loop.script_loop import ScriptLoop
from gradstep.notices import (
    InsideAction,
    Notice,
    NotRepeatable,
    OptimizerSet,
    PassedOver,
    PassRaised,
    RunDiverged,
    RunStopped,
    TraceSummarized,
    Unit,
    ZeroingSet,
)
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.losses.loss_signals import diverged_remark, diverged_text, signal_remark
from gradstep_tui.text.remarks import GRAVITY, NOTHING, Remark, Sense
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.frame import Frame

FAR: Final = 10
"""How many times smaller than usual a learning rate is if that is worth a word."""

SENSES: Final[Mapping[type[Notice], Sense]] = {
    RunStopped: Sense.SUCCESS,
    RunDiverged: Sense.WARNING,
    PassedOver: Sense.WARNING,
    TraceSummarized: Sense.HINT,
    ZeroingSet: Sense.HINT,
    OptimizerSet: Sense.HINT,
    InsideAction: Sense.HINT,
    NotRepeatable: Sense.WARNING,
    PassRaised: Sense.ERROR,
}
"""Sense of each kind of notice."""


def notice_text(notice: Notice, unit: str = EPOCH) -> str:
    """Return the sentence for a notice; `unit` is the word for an epoch."""
    redo = SIGNS["redo"]
    match notice:
        case RunDiverged():
            return diverged_text(notice, unit, SIGNS)
        case ZeroingSet():
            return zeroing_text(notice, SIGNS)
        case OptimizerSet():
            return optimizer_text(notice, SIGNS)
        case InsideAction(Unit.EPOCH, number, count):
            return f"{redo} goes on to the end of this run: here {unit} {number:,} of {count:,} has ended"
        case InsideAction(_, number, count):
            return f"{redo} goes on to the end of this pass: here is event {number:,} of {count:,}"
        case TraceSummarized(tensors, limit):
            return (
                f"start with a larger --trace-limit to keep more: this pass made more than {limit / 1e6:,g} "
                f"MB, so only summaries of {tensors:,} tensors are kept"
            )
        case _:
            return plain_notice_text(notice, unit)


def zeroing_text(found: ZeroingSet, keys: Mapping[str, str]) -> str:
    """Return what the loop does from now on with the gradients of the pass before."""
    if not found.zeroing:
        return f"zeroing is off: backward() adds to what is in .grad; {keys['zeroing']} turns it on"
    if found.set_to_none:
        return f"zeroing sets .grad to None, as optimizer.zero_grad() does; {keys['set_to_none']}: to 0"
    return f"zeroing is on: it sets every .grad to 0; {keys['set_to_none']} sets None instead"


def optimizer_text(found: OptimizerSet, keys: Mapping[str, str]) -> str:
    """Return what updates from now on, and whether the learning rate is far below what is usual for it."""
    if not found.name:
        return f"the loop updates by hand from now on, with lr {rate(found.rate)}"
    if found.usual is not None and found.rate < found.usual / FAR:
        usual = f"{rate(found.rate)} is small for it, {rate(found.usual)} is usual"
        return f"{found.name} updates from now on; lr {usual} ({keys['type_rate']})"
    return f"{found.name} updates from now on, with lr {rate(found.rate)}"


def frame_remark(
    frame: Frame, texts: Callable[[Notice, str], str] = notice_text, keys: Mapping[str, str] = SIGNS
) -> Remark:
    """Return what is to be said of a frame's notice and of its losses, the graver first; or `NOTHING`.

    Args:
        frame: The frame.
        texts: Returns the sentence for a notice, given the word for an epoch.
        keys: Keys or commands that help, by the ids of the keys.
    """
    noticed, signal = _noticed(frame, texts, keys), signal_remark(frame, keys)
    if GRAVITY.index(signal.sense) > GRAVITY.index(noticed.sense):
        return signal.also(noticed)
    return noticed.also(signal)


def _noticed(frame: Frame, texts: Callable[[Notice, str], str], keys: Mapping[str, str]) -> Remark:
    notice = frame.notice
    if notice is None:
        return NOTHING
    if isinstance(notice, RunDiverged):
        return diverged_remark(notice, frame, keys)
    if isinstance(notice, RunStopped) and isinstance(frame.loop, ScriptLoop) and frame.loop.over:
        text = f"the script's loop was over after {notice.done:,} of {notice.count:,} rounds"
    else:
        text = texts(notice, unit_of(frame.loop))
    return Remark(SENSES[type(notice)], text)


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
            return f"{lesson or 'The pass raised an exception, which the program gets.'} {error}"
        case _:
            assert_never(notice)
