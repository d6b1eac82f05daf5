"""Epochs that are not recorded: the same numbers as the plain loop, with less Python around each.

For a small model, `loss.backward()` spends more time on the way to autograd's engine than inside it. Calling
the engine directly does the same work without the detour: the same engine, kernels and bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor

from gradstep.learner_code.eager import uncompiled
from gradstep.learner_code.interruption import interruptible
from gradstep.learner_code.raised import is_of_learners_code
from gradstep.loop.loop import Kind
from gradstep.problem import Problem
from gradstep.torch_internals import engine_shortcut
from gradstep.training.batch_indices import Feed

_Run: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class FastRun:
    """Outcome of a run of epochs."""

    done: int
    """Epochs run to their end."""

    diverged: bool
    """Whether the run ended because a loss was inf or nan. That forward pass is undone: buffers and the
    random number generator have their values from before it."""

    error: BaseException | None = None
    """Exception that a statement raised in the middle of an epoch; what ran before it stays."""

    part_losses: Mapping[int, float] = field(default_factory=dict)
    """Losses of the completed parts of an epoch that diverged in the middle, by number from 0."""


def run_fast_epochs(
    problem: Problem,
    order: Sequence[Kind],
    count: int,
    learning_rate: float,
    add_loss: Callable[[float], None],
    stopped: Callable[[], bool],
    *,
    set_to_none: bool = False,
    optimizer: torch.optim.Optimizer | None = None,
    feed: Feed | None = None,
    epoch: int = 0,
) -> FastRun:
    """Run `count` epochs on the problem's own tensors.

    Args:
        problem: Model, loss, samples and parameters.
        order: Statements of one epoch.
        count: Number of epochs.
        learning_rate: Learning rate of the update by hand.
        add_loss: Called with each finite loss.
        stopped: Called before each epoch; the run ends if it returns True.
        set_to_none: Whether zeroing sets each `.grad` to None instead of writing zeros.
        optimizer: Updates the parameters with its own learning rate; None for the update by hand.
        feed: Parts of the samples; None if the samples are not split.
        epoch: Number of the first epoch, counted from 0; the order of the samples may depend on it.
    """
    parts = None if feed is None else _Parts(problem, feed, epoch, add_loss)
    forward, backward = _passes(problem, add_loss) if parts is None else (parts.forward, parts.backward)
    table: dict[Kind, Callable[[], object]] = {
        Kind.FORWARD: forward,
        Kind.BACKWARD: backward,
        Kind.UPDATE: _update(problem, learning_rate) if optimizer is None else optimizer.step,
        Kind.ZERO: _zeroing(problem, set_to_none=set_to_none, skips_none=optimizer is not None),
    }
    statements = [table[kind] for kind in order]
    done = 0
    asking = False
    """Whether `stopped` runs, whose exceptions are not the learner's."""

    def epochs_run() -> None:
        nonlocal done, asking
        while done < count:
            asking = True
            if stopped():
                return
            asking = False
            for statement in statements:
                statement()
            done += 1

    try:
        with uncompiled():
            interruptible(epochs_run)
    except _Diverged:
        return FastRun(done, diverged=True, part_losses={} if parts is None else parts.losses)
    except BaseException as error:
        if asking or not is_of_learners_code(error):
            raise
        return FastRun(done, diverged=False, error=error)
    return FastRun(done, diverged=False)


# Statements are closures: Python finds their names faster than attributes, and here the difference shows.


def _passes(problem: Problem, add_loss: Callable[[float], None]) -> tuple[_Run, _Run]:
    """Return the forward statement, and the backward statement through its graph."""
    model, loss_fn, inputs, targets = problem.model, problem.loss_fn, problem.inputs, problem.targets
    loss: Tensor | None = None
    before = _Before(problem)
    run_backward = engine_shortcut()
    ones: tuple[Tensor] | None = None
    """Gradient of the loss with respect to itself."""

    def forward() -> None:
        nonlocal loss
        if before.needed:
            before.keep()
        loss = loss_fn(model(inputs), targets)
        value = loss.item()
        if not math.isfinite(value):
            before.put_back()
            raise _Diverged
        if before.draws:
            before.look()
        add_loss(value)

    def backward() -> None:
        nonlocal ones
        if run_backward is None:
            loss.backward()  # type: ignore[union-attr]
            return
        if ones is None:
            ones = (torch.ones_like(loss),)  # type: ignore[arg-type]
        run_backward((loss,), ones, False, False, (), True, True)

    return forward, backward


class _Parts:
    """Forward and backward statements for samples that are split into parts."""

    def __init__(self, problem: Problem, feed: Feed, epoch: int, add_loss: Callable[[float], None]) -> None:
        """Start with the first part of an epoch; epochs are counted from 0."""
        self._problem, self._feed, self._epoch, self._add_loss = problem, feed, epoch, add_loss
        self._before = _Before(problem)
        self._loss: Tensor | None = None
        self._data: list[tuple[Tensor, Tensor]] = []
        self.losses: dict[int, float] = {}
        """Losses of the current epoch's parts so far, by number from 0."""

    def forward(self) -> None:
        problem, part = self._problem, len(self.losses)
        if part == 0 and (not self._data or self._feed.split.batches.shuffle):
            chosen = self._feed.indices(self._epoch)
            self._data = [(problem.inputs[i], problem.targets[i]) for i in chosen]
        inputs, targets = self._data[part]
        self._before.keep()
        self._loss = self._feed.weighed(problem.loss_fn(problem.model(inputs), targets), len(inputs))
        value = self._loss.item()
        if not math.isfinite(value):
            self._before.put_back()
            raise _Diverged
        self._before.look()
        self.losses[part] = value
        if len(self.losses) == self._feed.split.parts:
            self._add_loss(self._feed.split.epoch_loss(self.losses))
            self.losses = {}
            self._epoch += 1

    def backward(self) -> None:
        self._loss.backward()  # type: ignore[union-attr]


class _Before:
    """Copies of what a forward pass may change besides its results: buffers and the random state."""

    def __init__(self, problem: Problem) -> None:
        self.draws = True
        """Whether the forward pass may draw random numbers, as dropout does."""

        self._buffers = tuple(problem.buffers.values())
        self._kept: list[Tensor] = []
        self._rng = torch.get_rng_state()

    @property
    def needed(self) -> bool:
        """Whether a forward pass may change anything besides its results."""
        return self.draws or bool(self._buffers)

    def keep(self) -> None:
        if self.draws:
            self._rng = torch.get_rng_state()
        self._kept = [buffer.clone() for buffer in self._buffers]

    def look(self) -> None:
        """Note if the last forward pass drew no random numbers: then no later one will."""
        if self.draws:
            self.draws = not torch.equal(torch.get_rng_state(), self._rng)

    def put_back(self) -> None:
        if self.draws:
            torch.set_rng_state(self._rng)
        for buffer, kept in zip(self._buffers, self._kept, strict=True):
            buffer.copy_(kept)


def _update(problem: Problem, learning_rate: float) -> _Run:
    # Written through a detached view, an update needs no `no_grad` around it.
    updates = [(p, p.detach(), _rate_for(p, learning_rate)) for p in problem.parameters.values()]

    def update() -> None:
        for leaf, values, rate in updates:
            values -= leaf.grad * rate  # type: ignore[operator]

    return update


def _zeroing(problem: Problem, *, set_to_none: bool, skips_none: bool) -> _Run:
    """Return the zeroing statement; an optimizer's `zero_grad` skips a `.grad` that is None."""
    if set_to_none:
        return _set_to_none(problem)
    return _zero_existing(problem) if skips_none else _zero(problem)


def _zero_existing(problem: Problem) -> _Run:
    leaves = tuple(problem.parameters.values())

    def zero() -> None:
        for leaf in leaves:
            if leaf.grad is not None:
                leaf.grad.zero_()

    return zero


def _zero(problem: Problem) -> _Run:
    leaves = tuple(problem.parameters.values())

    def zero() -> None:
        for leaf in leaves:
            leaf.grad.zero_()  # type: ignore[union-attr]

    return zero


def _set_to_none(problem: Problem) -> _Run:
    leaves = tuple(problem.parameters.values())

    def set_to_none() -> None:
        for leaf in leaves:
            leaf.grad = None

    return set_to_none


class _Diverged(Exception):  # noqa: N818 - it ends a run; nothing is wrong with the program
    """The loss became inf or nan."""


def _rate_for(leaf: Tensor, rate: float) -> Tensor | float:
    """Return the rate as the tensor that PyTorch would make of it in every product: the same bits, faster."""
    if leaf.dtype in (torch.float32, torch.float64):
        return torch.tensor(rate, dtype=leaf.dtype)
    return rate  # half precision multiplies by the unrounded number
