"""The twin: the session's epochs again, from the same bits, with the reference loop."""

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
from gradstep.training.state import State
from gradstep.training.stepper import Statements

if TYPE_CHECKING:
    from gradstep.history.tree import Point
    from gradstep.problem import Problem

Schedule: TypeAlias = Sequence[tuple[int, Setting]]
"""So many epochs with this learning rate and optimizer, then so many with that one, ..."""


class Twin:
    """Runs the reference loop, and goes on from where it was where it can."""

    def __init__(self, statements: Statements, start: State, reference: Loop) -> None:
        """Begin at a session's start; each call leaves the statements in the twin's state."""
        self._statements = statements
        reference = reference.with_optimizer(start.loop.optimizer)
        words = statements.trainer.problem.words
        self._start = replace(start, loop=reference.with_split(start.loop.split, words))
        self._state = self._start
        self._setting = setting_of(start)
        """The twin's last."""

        self._done: Schedule = ()

    def after(
        self,
        schedule: Schedule,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> State:
        """Give the twin's state after the epochs of a schedule.

        Raises:
            Stopped: `stopped` said so.
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
        """Run, with its setting, what the session has run of the epoch under way; give the twin's state."""
        statements, loop = self._statements, session.loop
        statements.return_to(self._with_setting(self._state, self._setting, setting))
        if not loop.complete and not statements.state.diverged:
            for _ in range(loop.at.part * _steps_of_a_part(statements.state.loop)):
                statements.next_line()
            for kind in _begun(loop):
                statements.run(kind)
        return statements.state

    def _with_setting(self, state: State, last: Setting, setting: Setting) -> State:
        """Give the state with a setting; an optimizer chosen since the last one remembers nothing yet."""
        if (setting.optimizer, setting.chosen) != (last.optimizer, last.chosen):
            state = state.with_optimizer(setting.optimizer)
        if setting.batches != last.batches:
            problem = self._statements.trainer.problem
            state = state.with_split(split_of(setting.batches, problem.samples), problem.words)
        return replace(state, learning_rate=setting.rate)


def schedule_of(way: Iterable[Point]) -> list[tuple[int, Setting]]:
    """Give the setting of every epoch that the points from the start to some point have run."""
    rates: list[tuple[int, Setting]] = []
    for point in way:
        before = point.before
        if before is None:
            continue
        gained = point.epoch - before.epoch
        if gained < 0:
            rates = shortened(rates, point.epoch)
        if gained > 0:
            rates.append((1, before.setting if before.updated_at is None else before.updated_at))
            rates.append((gained - 1, before.setting))
    return rates


def shortened(schedule: Schedule, epochs: int) -> list[tuple[int, Setting]]:
    """Give a schedule's first epochs."""
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
    """Train with `torch.optim.SGD(momentum=1)` and zeroing; give the parameters.

    Its momentum buffer is `buffer = 1 * buffer + grad`, so it holds what a `.grad` holds that nobody zeroes:
    https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html

    Args:
        problem: Its own tensors are trained; the caller puts them back.
        start: The parameters' start values.
        schedule: The learning rates; its optimizers are left aside.
        stopped: Asked between epochs.

    Raises:
        Stopped: `stopped` said so.
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
            optimizer.zero_grad()
            problem.loss_fn(problem.model(problem.inputs), problem.targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return [leaf.detach().clone() for leaf in leaves]


def _steps_of_a_part(reference: Loop) -> int:
    """Give how many statements the reference loop runs for each part of the samples."""
    return len(reference.inner)


def _begun(loop: Loop) -> tuple[Kind, ...]:
    """Give the reference loop's statements that match what a session has run for this part of its epoch."""
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
    """Give what a schedule has beyond another one; None where it does not begin like that."""
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
    merged: list[tuple[int, Setting]] = []
    for count, setting in schedule:
        if merged and merged[-1][1] == setting:
            merged[-1] = merged[-1][0] + count, setting
        elif count:
            merged.append((count, setting))
    return merged
