"""What the losses give reason to say, as sentences for the bench and for plain mode, the remedy first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from gradstep.actions import LowerLearningRate
from gradstep.notices import LossMoved, LossRises, LossSignal, RateTooSmall, RunDiverged
from gradstep.reasons import Reason
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.losses.loss_moves import moved_text
from gradstep_tui.text.remarks import NOTHING, Remark, Sense
from gradstep_tui.text.statements import counted, unit_of
from gradstep_tui.text.tensors.numbers import cell, rate

if TYPE_CHECKING:
    from gradstep.frame import Frame

NOTED: Final = 1e-3
"""Part of a loss by which it must rise in a single epoch for a remark."""

LOWER: Final[Mapping[tuple[bool, bool], str]] = {
    (True, True): "lower the learning rate ({lower_rate}) or go back ({undo}): steps overshoot, and {what}",
    (True, False): "zero the gradients ({zeroing}), lower the learning rate ({lower_rate}) or go back "
    "({undo}): gradients pile up or steps overshoot, and {what}",
    (False, True): "lower the learning rate in the script and read it again ({reload}), or go back ({undo}): "
    "steps overshoot, and {what}",
    (False, False): "zero the gradients ({zeroing}), lower the learning rate in the script, or go back "
    "({undo}): gradients pile up or steps overshoot, and {what}",
}
"""What to do if training diverges, by whether the rate can be set here, and whether gradients are zeroed."""

PILED_UP: Final = "zeroing is off ({zeroing} turns it on), so the gradients of all passes add up: {what}"
"""What to say of losses that rise or swing without zeroing."""

RAISE: Final[Mapping[bool, str]] = {
    True: "raise the learning rate ({raise_rate}){rate}: {what}, and the gradient is far from zero",
    False: "raise the learning rate in the script and read it again ({reload}): {what}, and the gradient is "
    "far from zero",
}
"""What to do if the loss hardly moves, by whether the bench can set the rate."""


def signal_remark(frame: Frame, keys: Mapping[str, str] = SIGNS) -> Remark:
    """Return what a frame's losses give reason to say; `NOTHING` if nothing.

    Args:
        frame: The frame.
        keys: Keys or commands that help, by the ids of the keys.
    """
    if frame.signal is None:
        return NOTHING
    return SENTENCES[type(frame.signal)](frame.signal, frame, keys)


def diverged_text(found: RunDiverged, unit: str, keys: Mapping[str, str], *, sets_rate: bool = True) -> str:
    """Return the sentence about a loss that is inf or nan; `unit` is the word for an epoch."""
    what = f"the loss became {found.loss} in {unit} {found.epoch:,}"
    return LOWER[sets_rate, found.zeroing].format(**keys, what=what)


def _sets_rate(frame: Frame) -> bool:
    """Return whether the bench can set the learning rate; a script that updates by hand keeps its own."""
    refused = frame.refusal(LowerLearningRate())
    return refused is None or refused.reason is not Reason.SCRIPTS_OWN


def diverged_remark(found: RunDiverged, frame: Frame, keys: Mapping[str, str] = SIGNS) -> Remark:
    """Return what is to be said of a loss that is inf or nan; the arguments are those of `signal_remark`."""
    text = diverged_text(found, unit_of(frame.loop), keys, sets_rate=_sets_rate(frame))
    return Remark(Sense.WARNING, text)


def _rises(found: LossRises, frame: Frame, keys: Mapping[str, str]) -> Remark:
    moved, unit = moved_text(found.first, found.last), unit_of(frame.loop)
    went = f"{moved}, to" if moved else f"up from {cell(found.first)} to"
    what = f"the loss went {went} {cell(found.last)} in {counted(found.epochs, unit)}"
    return Remark(Sense.WARNING, LOWER[_sets_rate(frame), found.zeroing].format(**keys, what=what))


def _too_small(found: RateTooSmall, frame: Frame, keys: Mapping[str, str]) -> Remark:
    moved = moved_text(found.first, found.last)
    ran = counted(found.epochs, unit_of(frame.loop))
    what = f"{ran} moved the loss {moved} only" if moved else f"{ran} did not move the loss"
    now = f", {rate(found.rate)} now" if math.isfinite(found.rate) else ""
    return Remark(Sense.WARNING, RAISE[_sets_rate(frame)].format(**keys, rate=now, what=what))


def _moved(found: LossMoved, frame: Frame, keys: Mapping[str, str]) -> Remark:
    moved, ran = moved_text(found.first, found.last), counted(found.epochs, unit_of(frame.loop))
    first, last = cell(found.first), cell(found.last)
    if found.peak is not None:
        return Remark(Sense.WARNING, _swing_text(found, ran, keys))
    if found.last > found.first and moved:
        if found.epochs == 1 and found.part < NOTED:
            return NOTHING
        if not found.zeroing:
            what = f"{ran} raised the loss from {first} to {last}, {moved}"
            return Remark(Sense.WARNING, PILED_UP.format(**keys, what=what))
        sense = Sense.WARNING if found.epochs > 1 else Sense.HINT
        return Remark(sense, f"the loss rose from {first} to {last}, {moved}, in {ran}")
    if found.epochs == 1:
        return NOTHING  # the loss pane says it, and the line is free for what comes next
    if not moved and found.first:
        return Remark(Sense.HINT, f"the loss stayed at {last} in {ran}")
    return Remark(
        Sense.SUCCESS, f"the loss fell from {first} to {last}{f', {moved}' if moved else ''}, in {ran}"
    )


def _swing_text(found: LossMoved, ran: str, keys: Mapping[str, str]) -> str:
    """Return the sentence about a loss that goes down and up again, so that where it ends says little."""
    assert found.peak is not None
    what = f"in {ran} the loss swung up to {cell(found.peak)} again and is {cell(found.last)} now"
    return PILED_UP.format(**keys, what=what) if not found.zeroing else f"the loss does not settle: {what}"


SENTENCES: Final[Mapping[type[LossSignal], Callable[[Any, Frame, Mapping[str, str]], Remark]]] = {
    RunDiverged: diverged_remark,
    LossRises: _rises,
    RateTooSmall: _too_small,
    LossMoved: _moved,
}
"""Maker of the remark for each kind of signal."""
