"""What the losses after an action give reason to say, as a fact."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

from gradstep.analysis.loss_trend import FEWEST, Descent, diverging, hardly_moves, swing
from gradstep.ledger.gradient_norms import gradient_sizes
from gradstep.loop.loop import Kind, Loop
from gradstep.loop.script_loop import ScriptLoop
from gradstep.notices import LossMoved, LossRises, LossSignal, RateTooSmall, RunDiverged
from gradstep.tensors.summary import norm_of
from gradstep.training.state import TrainingState

SLOPE: Final = 0.01
"""Least size of gradient times parameters, as a part of the loss, at which a larger step would help."""

LEFT: Final = 0.05
"""Part of the first gradient that the newest one must have: less is left near a minimum."""

FAR: Final = 2
"""Multiple of a loss from which a single step, such as the first of a run, has moved it far."""

ZERO: Final = 1e-6
"""Loss below which it counts as zero."""

CARRYING: Final = ("momentum", "betas", "rho")
"""Options of optimizers that make a step carry on earlier gradients."""


def loss_signal(
    names: Sequence[str], before: TrainingState, after: TrainingState, *, is_run: bool
) -> LossSignal | None:
    """Return what the losses after an action give reason to say; None if there is nothing.

    Args:
        names: Names of the parameters.
        before: State before the action.
        after: State after it.
        is_run: Whether the action ran whole epochs or rounds, as many as it was asked for.
    """
    if after.losses is before.losses or not len(after.losses):
        return None
    zeroing = after.loop.is_enabled(Kind.ZERO)
    loss = after.losses[len(after.losses) - 1]
    if after.diverged and after.loss is not None:
        return RunDiverged(len(after.losses), after.loss, zeroing=zeroing)
    if not math.isfinite(loss):
        return None
    rise = diverging(after.losses.last(), _descent(after.loop))
    if rise is not None:
        return LossRises(rise.count, rise.first, rise.last, zeroing=zeroing)
    count = after.epoch - before.epoch
    if not is_run or count < 1:
        return None
    ran, first = after.losses.last(len(after.losses) - len(before.losses)), _known_before(before)
    run = ran if first is None else array("d", [first]) + ran
    stays = run[0] < FAR * run[-1] and run[-1] < FAR * run[0]
    if count >= FEWEST and stays and hardly_moves(run) and _could_move(names, after, run[0]):
        return RateTooSmall(count, run[0], run[-1], after.learning_rate)
    if len(run) < 2 or not math.isfinite(run[0]):
        return None
    return LossMoved(count, run[0], run[-1], swing(run), zeroing=zeroing)


def _known_before(state: TrainingState) -> float | None:
    """Return the loss that was known when a run began: of the last forward pass, if that had all samples."""
    forward = state.trainer.forward
    if forward is not None and forward.batch is None:
        return forward.loss.item()
    return state.losses[len(state.losses) - 1] if len(state.losses) else None


def _descent(loop: Loop | ScriptLoop) -> Descent:
    if isinstance(loop, ScriptLoop) or (loop.split is not None and not loop.split.accumulates):
        return Descent.MIXED
    options = loop.optimizer.options
    carries = any(option in options and options[option] for option in CARRYING)
    carries |= not loop.optimizer.by_hand and loop.optimizer.name != "SGD"
    return Descent.CARRIED if carries or not loop.is_enabled(Kind.ZERO) else Descent.PLAIN


def _could_move(names: Sequence[str], state: TrainingState, loss: float) -> bool:
    """Return whether the loss is neither near zero nor near a minimum: larger steps would lower it."""
    sizes = gradient_sizes(names, state.ledger)
    first = math.hypot(*(size.passes[0].added for size in sizes if size.passes))
    newest = math.hypot(*(size.passes[-1].added for size in sizes if size.passes))
    reach = 1 + math.hypot(*map(norm_of, state.trainer.parameters))
    return abs(loss) > ZERO and newest >= LEFT * first and newest * reach >= SLOPE * abs(loss)
