"""`gradstep run`: training without a screen, one epoch statement by statement and then many more."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from gradstep.actions import Action, Backward, Forward, RunEpochs, ToggleZeroing, Update, Zero
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.loop.batches import Batches
from gradstep.loop.script_loop import ScriptLoop
from gradstep.scripts.script_errors import ScriptError
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import RUN, complain_of
from gradstep_tui.session.jobs import finished
from gradstep_tui.text.statements import ROUND, counted, unit_of

if TYPE_CHECKING:
    from gradstep.loop.loop import Loop
    from gradstep.session import Session

Reporter = Callable[[Action, Frame], Iterable[str]]
"""Returns the texts to print after an action, given the action and the frame after it."""

PlannedActions: TypeAlias = Callable[["Loop | ScriptLoop"], Iterable[Action]]
"""Returns the actions to apply to a session, given its loop."""

DIVERGED, INTERRUPTED = 3, 130
"""Exit codes."""


def run(
    make_session: Callable[[], Session],
    actions: Callable[[Loop | ScriptLoop], Iterable[Action]],
    report: Reporter,
) -> int:
    """Train, print a report after every action, and return the exit code.

    Args:
        make_session: Makes the session.
        actions: Returns the actions to apply to a session, given its loop.
        report: Returns the texts to print after an action.
    """
    try:
        return int(finished(lambda _: _train(make_session(), actions, report)))
    except (ScriptError, PyTorchError) as error:  # the error is in a file, not in an option
        return complain_of(error, RUN, hint=False)
    except EngineError as error:
        return complain_of(error, RUN)
    except KeyboardInterrupt:
        return INTERRUPTED


def plan(
    loop: Loop | ScriptLoop, epochs: int, zeroing: bool, batches: Batches | None = None
) -> Iterator[Action]:
    """Yield the actions of a run: one epoch statement by statement, `epochs` more, and a forward pass.

    If the samples are split into batches, or the loop is a script's own, the first epoch or round is a single
    action, and no forward pass follows.

    Args:
        loop: Loop of the session.
        epochs: Number of epochs after the first epoch.
        zeroing: Whether gradients are zeroed.
        batches: Way the samples are split; None to use all samples in every pass.
    """
    if not zeroing:
        yield ToggleZeroing()
    if batches is not None or isinstance(loop, ScriptLoop):
        yield from (RunEpochs(1), RunEpochs(epochs))
        return
    yield from (Forward(), Backward(), Update())
    if zeroing:
        yield Zero()
    yield from (Forward(), RunEpochs(epochs), Forward())


def diverged_in(frame: Frame) -> int | None:
    """Return the number, counted from 1, of the epoch whose loss is inf or nan; None if it is finite."""
    return None if frame.loss is None or math.isfinite(frame.loss) else len(frame.losses)


def _train(session: Session, actions: PlannedActions, report: Reporter) -> int:
    for action in actions(session.frame.loop):
        frame = session.apply(action)
        try:
            for text in report(action, frame):
                print(text, flush=True)
        except OSError as error:
            return stop_writing(error, RUN)
        if epoch := diverged_in(frame):
            unit = unit_of(frame.loop)
            print(f"{RUN}: training diverged in {unit} {epoch:,}: the loss is {frame.loss}", file=sys.stderr)
            return DIVERGED
        if isinstance(frame.loop, ScriptLoop) and frame.loop.over:
            print(f"{RUN}: the script's loop is over after {counted(frame.epoch, ROUND)}", file=sys.stderr)
            break
    return 0
