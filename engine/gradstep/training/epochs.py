"""Runs of many epochs: the first and the last are recorded, those between run at full speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gradstep.loop.loop import Kind
from gradstep.notices import Notice, RunDiverged, RunStopped
from gradstep.training.loss_history import Losses
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.state import State
from gradstep.training.stepper import Statements


@dataclass(frozen=True, slots=True)
class Ended:
    """Outcome of an action."""

    notice: Notice | None = None
    """Remark of the action; None if all went well."""

    stopped_after: int | None = None
    """Number of epochs of a run that had ended when it was stopped; None if it was not stopped."""


def run_epochs(
    statements: Statements, count: int, stopped: Callable[[], bool], tell: Callable[[Progress], None]
) -> Ended:
    """Run the loop `count` times; the rest of an epoch under way counts as the first.

    Args:
        statements: Runs the epochs; has the new state afterwards.
        count: Number of epochs, at least 1.
        stopped: Called between epochs; the run ends within one more epoch if it returns True.
        tell: Called with the progress, whose losses then grow by themselves.

    Returns:
        The outcome, with a notice if the run diverged or was stopped. A run that was stopped after n epochs
        has the state of a run of n epochs.

    Raises:
        PyTorchError: PyTorch refused a statement; what ran before it stays.
    """
    state = statements.state
    progress = Progress(count, state.epoch, state.losses, time.monotonic())
    tell(progress)
    # At least one whole epoch is recorded first: PyTorch refuses there whatever it refuses in this loop. An
    # optimizer skips parameters without a gradient, so only its second step updates all of them.
    first = 1 if state.loop.rest() == state.loop.epoch else 2
    first = min(count, first + (not state.loop.optimizer.by_hand and None in state.trainer.grads))
    done = _recorded_epochs(statements, first, stopped)
    if done == first and done < count and not stopped():
        rest = _fast_epochs if state.loop.is_enabled(Kind.FORWARD) else _epochs_without_loss
        done += rest(statements, count - done, progress, stopped, tell)
    if statements.state.diverged:
        return Ended(_diverged(statements.state))
    return Ended() if done == count else Ended(RunStopped(done, count), done)


def _recorded_epochs(statements: Statements, count: int, stopped: Callable[[], bool]) -> int:
    """Run the rest of this epoch and whole ones after it; return the number of epochs that were completed."""
    for done in range(count):
        if (done and stopped()) or not _recorded_epoch(statements):
            return done
    return count


def _recorded_epoch(statements: Statements) -> bool:
    """Run the rest of this epoch; return False if its loss is inf or nan, which ends it before backward."""
    for kind in statements.state.loop.rest():
        statements.run(kind)
        if kind is Kind.FORWARD and statements.state.diverged:
            return False
    return True


def _fast_epochs(
    statements: Statements,
    count: int,
    progress: Progress,
    stopped: Callable[[], bool],
    tell: Callable[[Progress], None],
) -> int:
    """Run whole epochs of a loop that computes a loss, the last recorded; return how many were completed.

    Fast epochs start at the forward pass, wherever that is in the loop. So each has the graph that its
    backward pass needs, and an epoch that diverges has run nothing else.
    """
    order = statements.state.loop.epoch
    forward = order.index(Kind.FORWARD)
    for kind in order[:forward]:
        statements.run(kind)
    done = 0
    if count > 1:
        rotated = (*order[forward:], *order[:forward])
        done = _fast_rounds(statements, rotated, count - 1, progress, stopped, tell)
    return done + int(_recorded_epoch(statements))


def _fast_rounds(
    statements: Statements,
    order: tuple[Kind, ...],
    count: int,
    progress: Progress,
    stopped: Callable[[], bool],
    tell: Callable[[Progress], None],
) -> int:
    state, trainer = statements.state, statements.trainer
    buffer = state.losses.open_end(state.epoch)
    tell(replace(progress, losses=Losses(buffer, len(buffer))))
    run = trainer.run(
        order,
        count,
        state.learning_rate,
        buffer.append,
        stopped,
        set_to_none=state.loop.set_to_none,
        feed=statements.feed,
        epoch=state.epoch,
    )
    begun = _begun(order, len(run.part_losses))
    statements.ran_unrecorded(run.done, Losses(buffer, len(buffer)), begun, run.part_losses)
    if run.error is not None:
        raise PyTorchError(run.error)
    return run.done


def _begun(order: tuple[Kind, ...], forwards: int) -> tuple[Kind, ...]:
    """Return the statements of a diverged epoch before its next forward pass, after `forwards` of them."""
    positions = [position for position, kind in enumerate(order) if kind is Kind.FORWARD]
    return order[: positions[forwards]]


def _epochs_without_loss(
    statements: Statements,
    count: int,
    progress: Progress,
    stopped: Callable[[], bool],
    tell: Callable[[Progress], None],
) -> int:
    """Run epochs of a loop whose forward line is commented out, and return how many were completed.

    Nothing replaces the graph of the last forward pass.
    """
    before = progress.first
    for done in range(count):
        if stopped():
            return done
        _recorded_epoch(statements)
        tell(replace(progress, without_loss=statements.state.epoch - before))
    return count


def _diverged(state: State) -> RunDiverged:
    assert state.loss is not None
    return RunDiverged(len(state.losses), state.loss, zeroing=state.loop.is_enabled(Kind.ZERO))
