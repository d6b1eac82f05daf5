"""`gradstep run`: the notebook's training without a screen, one step by hand and then many epochs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from gradstep.actions import Action, Backward, Forward, RunEpochs, ToggleZeroing, Update, Zero
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.loop.batches import Batches
from gradstep.scripts.script_errors import ScriptError
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import RUN, complain_of

if TYPE_CHECKING:
    from gradstep.session import Session

Report = Callable[[Action, Frame], Iterable[str]]
"""Gives what to print after an action."""

DIVERGED, INTERRUPTED = 3, 130
"""Exit codes."""


def run(make_session: Callable[[], Session], actions: Iterable[Action], report: Report) -> int:
    """Train, print what `report` gives, and give the exit code."""
    try:
        return _train(make_session(), actions, report)
    except ScriptError as error:  # a file's fault, no option's
        return complain_of(error, RUN, hint=False)
    except EngineError as error:
        return complain_of(error, RUN)
    except KeyboardInterrupt:
        return INTERRUPTED


def plan(epochs: int, zeroing: bool, batches: Batches | None = None) -> Iterator[Action]:
    """Give the notebook's actions: one step by hand, then `epochs` more, then the loss they led to.

    Where the samples are split, one step is a whole epoch, and the loss is that of the last epoch's parts.
    """
    if not zeroing:
        yield ToggleZeroing()
    if batches is not None:
        yield from (RunEpochs(1), RunEpochs(epochs))
        return
    yield from (Forward(), Backward(), Update())
    if zeroing:
        yield Zero()
    yield from (Forward(), RunEpochs(epochs), Forward())


def diverged_in(frame: Frame) -> int | None:
    """Give the epoch, counted from 1, whose loss is inf or nan; None where the loss is finite."""
    return None if frame.loss is None or math.isfinite(frame.loss) else len(frame.losses)


def _train(session: Session, actions: Iterable[Action], report: Report) -> int:
    for action in actions:
        frame = session.apply(action)
        try:
            for text in report(action, frame):
                print(text, flush=True)
        except OSError as error:
            return stop_writing(error, RUN)
        if epoch := diverged_in(frame):
            print(f"{RUN}: diverged in epoch {epoch:,}: the loss is {frame.loss}", file=sys.stderr)
            return DIVERGED
    return 0
