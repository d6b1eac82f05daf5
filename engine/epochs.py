"""Runs many epochs: the first and the last recorded, those between at full speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engine.ledger import RunPage
from engine.lessons import PyTorchError
from engine.loop import Kind
from engine.losses import Losses
from engine.progress import Progress
from engine.statements import Statements


def run_epochs(
    statements: Statements, count: int, stopped: Callable[[], bool], tell: Callable[[Progress], None]
) -> str:
    """Run the loop `count` times; an epoch under way counts as the first.

    Args:
        statements: What runs them; holds the state afterwards.
        count: How many, at least 1.
        stopped: Asked between epochs; the run ends within one more epoch where it says so.
        tell: Called with the progress, which then grows by itself.

    Returns:
        What there is to say: that it was stopped, or diverged and why; empty where all went well.

    Raises:
        PyTorchError: PyTorch refused a statement; what ran before it stays.
    """
    state = statements.state
    progress = Progress(count, state.epoch, state.losses, time.monotonic())
    tell(progress)
    done = int(_recorded_epoch(statements))
    if done and done < count and not stopped():
        done += _fast_epochs(statements, progress, stopped, tell)
        done += int(_recorded_epoch(statements))
    if statements.state.diverged:
        return _why_diverged(statements)
    return "" if done == count else f"stopped after {done:,} of {count:,} epochs"


def _recorded_epoch(statements: Statements) -> bool:
    """Run what remains of this epoch; False where its loss is inf or nan, which ends it before backward."""
    for kind in statements.state.loop.rest():
        statements.run(kind)
        if kind is Kind.FORWARD and statements.state.diverged:
            return False
    return True


def _fast_epochs(
    statements: Statements, progress: Progress, stopped: Callable[[], bool], tell: Callable[[Progress], None]
) -> int:
    between = progress.count - 2
    if between < 1:
        return 0
    state, trainer = statements.state, statements.trainer
    buffer = state.losses.open_end(state.epoch)
    tell(replace(progress, losses=Losses(buffer, len(buffer))))
    run = trainer.run(
        state.loop.enabled,
        between,
        state.learning_rate,
        buffer.append,
        stopped,
        set_to_none=state.loop.set_to_none,
    )
    statements.state = replace(
        state,
        trainer=trainer.snapshot(),
        epoch=state.epoch + run.done,
        losses=Losses(buffer, len(buffer)),
        passing=None,
        written=state.written.with_page(
            RunPage(run.done, run.done * state.loop.enabled.count(Kind.BACKWARD), statements.grads())
        ),
    )
    if run.error is not None:
        raise PyTorchError(run.error)
    return run.done


def _why_diverged(statements: Statements) -> str:
    state = statements.state
    cause = (
        "steps overshoot, lower the learning rate ([)"
        if state.loop.is_enabled(Kind.ZERO)
        else "gradients pile up (Z), or lr is too high ([)"
    )
    return f"diverged in epoch {len(state.losses):,}: loss {state.loss}; {cause}"
