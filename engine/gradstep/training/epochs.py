"""Runs many epochs: the first and the last recorded, those between at full speed."""

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
    """How an action ended."""

    notice: Notice | None = None
    """Remark of the action; None if all went well."""

    stopped_after: int | None = None
    """Number of epochs of a run that had ended when it was stopped; None if it was not stopped."""


def run_epochs(
    statements: Statements, count: int, stopped: Callable[[], bool], tell: Callable[[Progress], None]
) -> Ended:
    """Run the loop `count` times; an epoch under way counts as the first.

    Args:
        statements: What runs them; holds the state afterwards.
        count: How many, at least 1.
        stopped: Asked between epochs; the run ends within one more epoch where it says so.
        tell: Called with the progress, which then grows by itself.

    Returns:
        Whether it was stopped, or diverged and why. What was stopped after n epochs is a run of n.

    Raises:
        PyTorchError: PyTorch refused a statement; what ran before it stays.
    """
    state = statements.state
    progress = Progress(count, state.epoch, state.losses, time.monotonic())
    tell(progress)
    # One whole epoch at least is recorded first: what PyTorch refuses in this loop, it refuses there. An
    # optimizer passes over what has no gradient yet, and only its next step is a real one.
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
    """Run what remains of this epoch, and whole ones after it; give how many ran to their end."""
    for done in range(count):
        if (done and stopped()) or not _recorded_epoch(statements):
            return done
    return count


def _recorded_epoch(statements: Statements) -> bool:
    """Run what remains of this epoch; False where its loss is inf or nan, which ends it before backward."""
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
    """Run whole epochs of a loop that computes a loss, the last one recorded; give how many ran to their end.

    The fast ones go from forward to forward, wherever that stands in the loop: so each has the graph that
    its backward needs, and one that diverges has run nothing else.
    """
    order = statements.state.loop.epoch
    place = order.index(Kind.FORWARD)
    for kind in order[:place]:
        statements.run(kind)
    done = 0
    if count > 1:
        done = _fast_rounds(statements, (*order[place:], *order[:place]), count - 1, progress, stopped, tell)
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
    """Give what has run of an epoch that diverged, before the forward pass that comes after so many."""
    places = [place for place, kind in enumerate(order) if kind is Kind.FORWARD]
    return order[: places[forwards]]


def _epochs_without_loss(
    statements: Statements,
    count: int,
    progress: Progress,
    stopped: Callable[[], bool],
    tell: Callable[[Progress], None],
) -> int:
    """Run whole epochs of a loop that has its forward commented out; the last graph stays as it is."""
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
