"""The numbers of a script's loop: what ran of it runs again on a fresh capture, and is watched."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.capture.loop_places import Control
from gradstep.exports.own_loop.loop_plan import (
    AbandonedRound,
    Halt,
    LoopPlan,
    LoopStep,
    RaisedStatement,
    RateChange,
    RoundsRun,
    Steps,
    joined_runs,
)
from gradstep.exports.own_loop.optimizer_numbers import numbers_in
from gradstep.exports.own_loop.owners import Named, Owners, owners_in, tensors_of
from gradstep.learner_code.raised import message_of

MOST_PASSES: Final = 8
"""Passes of a round whose losses are kept."""

LONGEST_PART: Final = 60
"""Characters of an error's message that the export looks for."""


@dataclass(slots=True)
class LoopNumbers:
    """Numbers of a loop, and where they are found."""

    owners: Owners
    """Expressions for what holds the parameters, as they were when the loop began."""

    losses: list[list[Tensor]] = field(default_factory=list)
    """For each round, the losses of its first passes; of each, the sum of what it differentiated."""

    values: Named = field(default_factory=dict)
    """Parameters at the end, by name."""

    grads: dict[str, Tensor | None] = field(default_factory=dict)
    """Their `.grad` at the end."""

    states: Named = field(default_factory=dict)
    """Numbers of the optimizers and schedulers at the end, by expression."""

    earlier: int = 0
    """Rounds that the stepped loop had run before the first `backward` was found."""

    line: int = 0
    """Line of the script's top level that runs while the loop does; 0 if it is not known."""

    threads: int = 1
    """Threads that PyTorch uses."""

    watched: str = "backward"
    """Function of `torch.autograd` whose losses are kept: `grad` if the loop never calls `backward`."""


def numbers_of(loop: CapturedLoop, plan: LoopPlan, file: str) -> tuple[LoopNumbers, LoopPlan]:
    """Run what a plan says on a loop that was just captured.

    Args:
        loop: The loop, at the begin of its first round.
        plan: What ran.
        file: File of the script, as its code names it.

    Returns:
        The numbers, and the plan with the statements that raised an exception.
    """
    numbers = LoopNumbers(owners_in(loop.names), earlier=loop.earlier_rounds)
    numbers.threads = loop.ask(torch.get_num_threads)
    numbers.line = loop.ask(lambda: _line_in(file))
    run = _Run(loop, numbers)
    with watched(run.seen):
        made = LoopPlan(joined_runs(run.rounds(plan.runs)), run.part(plan.last), plan.over)
    run.settle()
    return numbers, made


class _Run:
    def __init__(self, loop: CapturedLoop, numbers: LoopNumbers) -> None:
        self._loop, self._numbers = loop, numbers
        self._losses: dict[str, list[list[Tensor]]] = {"backward": [], "grad": []}

    def seen(self, made: ComingPass) -> None:
        """Take note of the loss of a pass."""
        losses = self._losses["backward" if made.accumulates else "grad"]
        losses.extend([] for _ in range(self._loop.position.done + 1 - len(losses)))
        if len(losses[-1]) < MOST_PASSES:
            losses[-1].append(loss_of(made.outputs))

    def rounds(self, runs: Sequence[RoundsRun]) -> Iterator[RoundsRun]:
        for run in runs:
            if run.steps is None:
                yield from self._written(run.count)
            else:
                steps = [self._steps(steps) for steps in repeat(run.steps, run.count)]
                yield from (RoundsRun(1, made) for made in steps)

    def part(self, steps: Steps) -> Steps:
        """Run a part of a round, which does not end."""
        return tuple(self._each(steps))[: len(steps)]

    def settle(self) -> None:
        """Take note of the numbers at the end."""
        numbers, loop = self._numbers, self._loop
        if not self._losses["backward"] and self._losses["grad"]:
            numbers.watched = "grad"
        numbers.losses = self._losses[numbers.watched]
        numbers.losses.extend([] for _ in range(loop.position.done - len(numbers.losses)))
        with suppress(Exception):
            now = tensors_of(numbers.owners.expressions, loop.names)
            for name in numbers.owners.parameters:
                tensor = now[name]
                numbers.values[name] = tensor.detach().clone()
                grad = tensor.grad if tensor.is_leaf else None
                numbers.grads[name] = None if grad is None else grad.detach().clone()
            for name in (*numbers.owners.optimizers, *numbers.owners.schedulers):
                found = numbers_in(name, eval(name, dict(loop.names)))
                numbers.states |= {label: one.detach().clone() for label, one in found.items()}

    def _written(self, count: int) -> Iterator[RoundsRun]:
        """Run rounds as they are written; a round that raises is abandoned."""
        left = count
        while left > 0 and not self._loop.over:
            first = self._loop.position.done
            try:
                self._loop.run(left)
            except Exception as error:
                done = self._loop.position.done - first
                if done:
                    yield RoundsRun(done)
                key = self._loop.next_statement
                yield RoundsRun(1, (*range(key), _raised(key, error), AbandonedRound()))
                left -= done + 1
            else:
                yield RoundsRun(left)
                left = 0

    def _steps(self, steps: Steps) -> Steps:
        """Run the steps of a whole round."""
        made = list(self._controls(steps))
        self._loop.end_round(made[-1][1] if made else Control.NEXT)
        return (*(step for step, _ in made), *steps[len(made) :])

    def _each(self, steps: Steps) -> Iterator[LoopStep]:
        yield from (step for step, _ in self._controls(steps))

    def _controls(self, steps: Steps) -> Iterator[tuple[LoopStep, Control]]:
        for step in steps:
            control = Control.NEXT
            match step:
                case RateChange(rate):
                    self._loop.ask(lambda rate=rate: set_rate(self._loop.names, rate))  # type: ignore[misc]
                    yield step, control
                case int() | RaisedStatement():
                    key = step if isinstance(step, int) else step.key
                    try:
                        control = self._loop.run_statement(key)
                    except Exception as error:
                        yield _raised(key, error), control
                    else:
                        yield key, control
                case AbandonedRound() | Halt():
                    yield step, control
            if control is not Control.NEXT:
                return


def loss_of(outputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of what a pass differentiates, a number."""
    total = torch.zeros(())
    for output in outputs:
        total = output.detach().sum() if len(outputs) == 1 else total + output.detach().sum()
    return (total.real if total.is_complex() else total).clone()


def set_rate(names: Mapping[str, Any], rate: float) -> None:
    """Set the learning rate of all optimizers that names lead to."""
    for expression in owners_in(names).optimizers:
        optimizer: Optimizer = eval(expression, dict(names))
        for group in optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


def _raised(key: int, error: Exception) -> RaisedStatement:
    first = message_of(error).removesuffix("...").partition("\n")[0].partition(" at 0x")[0]
    return RaisedStatement(key, type(error).__name__, first[:LONGEST_PART])


def _line_in(file: str) -> int:
    """Return the line at which the top level of a file is, among the callers in this thread."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_filename == file and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return 0
