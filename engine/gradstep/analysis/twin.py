"""The twin: the session's epochs run again from the same start, with the reference loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from gradstep.errors import Stopped
from gradstep.history.tree import Setting, setting_of
from gradstep.loop.batches import split_of
from gradstep.loop.loop import Kind, Loop
from gradstep.training.epochs import run_epochs
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import learners_code
from gradstep.training.state import State
from gradstep.training.stepper import Statements

if TYPE_CHECKING:
    from gradstep.history.tree import Point
    from gradstep.problem import Problem

Schedule: TypeAlias = Sequence[tuple[int, Setting]]
"""Consecutive runs of epochs: the number of epochs, and the setting with which they run."""


class Twin:
    """Runs the reference loop; continues from its last state if the new schedule continues the last one."""

    def __init__(self, statements: Statements, start: State, reference: Loop) -> None:
        """Create a twin of a session.

        Args:
            statements: Runs the epochs; every method leaves it in the twin's state.
            start: State in which the session started.
            reference: The reference loop.
        """
        self._statements = statements
        reference = reference.with_optimizer(start.loop.optimizer)
        words = statements.trainer.problem.words
        self._start = replace(start, loop=reference.with_split(start.loop.split, words))
        self._state = self._start
        self._setting = setting_of(start)
        """Setting of the twin's last epoch."""

        self._done: Schedule = ()

    def after(
        self,
        schedule: Schedule,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> State:
        """Return the twin's state after the epochs of a schedule.

        Args:
            schedule: The session's epochs and their settings.
            stopped: Called between epochs; returns True to stop.
            tell: Called with the progress of the run.

        Raises:
            Stopped: `stopped` returned True.
            PyTorchError: the reference loop cannot run on this problem.
        """
        rest = _rest(schedule, self._done)
        if rest is None:
            self._state, rest = self._start, list(schedule)
            self._setting = setting_of(self._start)
        statements, last = self._statements, self._setting
        statements.return_to(self._state)
        for count, setting in rest:
            if not count or statements.state.diverged:
                continue
            statements.return_to(self._with_setting(statements.state, last, setting))
            last = setting
            if run_epochs(statements, count, stopped, tell).stopped_after is not None:
                raise Stopped
        self._state, self._done, self._setting = statements.state, tuple(schedule), last
        return self._state

    def catch_up(self, session: State, setting: Setting) -> State:
        """Return the twin's state after the statements that the session has run of the epoch under way.

        Args:
            session: State of the session; the twin has run as many whole epochs, by `after`.
            setting: Setting of the epoch under way.
        """
        statements, loop = self._statements, session.loop
        statements.return_to(self._with_setting(self._state, self._setting, setting))
        if not loop.complete and not statements.state.diverged:
            for _ in range(loop.at.part * _steps_of_a_part(statements.state.loop)):
                statements.next_line()
            for kind in _begun(loop):
                statements.run(kind)
        return statements.state

    def _with_setting(self, state: State, last: Setting, setting: Setting) -> State:
        """Return the state with a setting; an optimizer that was chosen anew has no memory yet."""
        if (setting.optimizer, setting.chosen) != (last.optimizer, last.chosen):
            state = state.with_optimizer(setting.optimizer)
        if setting.batches != last.batches:
            problem = self._statements.trainer.problem
            state = state.with_split(split_of(setting.batches, problem.samples), problem.words)
        return replace(state, learning_rate=setting.rate)


def schedule_of(way: Iterable[Point]) -> list[tuple[int, Setting]]:
    """Return the setting of every epoch that has run.

    Args:
        way: Points of the history, from the start to the point in question.
    """
    schedule: list[tuple[int, Setting]] = []
    for point in way:
        before = point.before
        if before is None:
            continue
        gained = point.epoch - before.epoch
        if gained < 0:
            schedule = shortened(schedule, point.epoch)
        if gained > 0:
            schedule.append((1, before.setting if before.updated_at is None else before.updated_at))
            schedule.append((gained - 1, before.setting))
    return schedule


def shortened(schedule: Schedule, epochs: int) -> list[tuple[int, Setting]]:
    """Return the first `epochs` epochs of a schedule."""
    kept: list[tuple[int, Setting]] = []
    for count, setting in schedule:
        take = min(count, epochs)
        epochs -= take
        if take:
            kept.append((take, setting))
    return kept


def with_momentum(
    problem: Problem,
    start: Sequence[Tensor],
    schedule: Schedule,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Tensor]:
    """Return the parameters after training with `torch.optim.SGD(momentum=1)` and zeroing.

    The optimizer's momentum buffer is `buffer = 1 * buffer + grad`, the same sum as a `.grad` that is never
    zeroed: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html

    Args:
        problem: Problem whose own tensors are trained; the caller restores them.
        start: Start values of the parameters.
        schedule: Epochs and their learning rates; the optimizers of its settings are ignored.
        stopped: Called between epochs; returns True to stop.

    Raises:
        Stopped: `stopped` returned True.
        PyTorchError: the reference loop cannot run on this problem.
    """
    leaves = list(problem.parameters.values())
    with torch.no_grad():
        for leaf, value in zip(leaves, start, strict=True):
            leaf.copy_(value)
            leaf.grad = None
    optimizer = torch.optim.SGD(leaves, lr=1.0, momentum=1.0)
    for count, setting in schedule:
        optimizer.param_groups[0]["lr"] = setting.rate
        for _ in range(count):
            if stopped():
                raise Stopped
            with learners_code():
                optimizer.zero_grad()
                problem.loss_fn(problem.model(problem.inputs), problem.targets).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    return [leaf.detach().clone() for leaf in leaves]


def _steps_of_a_part(reference: Loop) -> int:
    """Return the number of statements that the reference loop runs for each part of the samples."""
    return len(reference.inner)


def _begun(loop: Loop) -> tuple[Kind, ...]:
    """Return the reference loop's statements that match those a session has run for the present part."""
    if loop.at.updated:
        return (Kind.FORWARD, Kind.BACKWARD, Kind.UPDATE)
    match loop.at.last:
        case Kind.FORWARD:
            return (Kind.FORWARD,)
        case Kind.BACKWARD:
            return (Kind.FORWARD, Kind.BACKWARD)
        case _:
            return ()


def _rest(schedule: Schedule, done: Schedule) -> list[tuple[int, Setting]] | None:
    """Return the rest of a schedule after `done`; None if the schedule does not begin with `done`."""
    epochs = sum(count for count, _ in done)
    if _merged(shortened(schedule, epochs)) != _merged(done):
        return None
    rest: list[tuple[int, Setting]] = []
    for count, setting in schedule:
        behind = min(count, epochs)
        epochs -= behind
        rest.append((count - behind, setting))
    return rest


def _merged(schedule: Schedule) -> list[tuple[int, Setting]]:
    """Return a schedule whose neighbouring runs with the same setting are joined, without empty ones."""
    merged: list[tuple[int, Setting]] = []
    for count, setting in schedule:
        if merged and merged[-1][1] == setting:
            merged[-1] = merged[-1][0] + count, setting
        elif count:
            merged.append((count, setting))
    return merged
