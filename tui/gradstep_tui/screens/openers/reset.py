"""Asks before a reset, which takes all training back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.actions import Reset
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.text.statements import counted, unit_of

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


def ask_reset(bench: KeyedScreen) -> None:
    """Go back to the start values, after a question if something has run since."""

    def answered(yes: bool | None) -> None:
        if yes:
            bench.perform(Reset())

    if bench.frame is None or bench.running or not bench.frame.position:
        bench.perform(Reset())
    else:
        ask = ConfirmScreen("reset?", reset_texts(bench.frame), "Enter: reset   Esc: cancel")
        bench.app.push_screen(ask, answered)


def reset_texts(frame: Frame) -> list[str]:
    """Return what a reset takes back, what stays, and how it is undone."""
    done = counted(frame.epoch, unit_of(frame.loop))
    return [
        f"All parameters go back to their start values: the training so far, {done}, is undone. The loop and "
        "the learning rate stay as they are.",
        f"Nothing is lost: {SIGNS['undo']} undoes a reset, {SIGNS['timeline']} lists every earlier point.",
    ]
