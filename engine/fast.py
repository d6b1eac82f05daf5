"""Many epochs, unrecorded: the numbers of the plain loop with less Python around them.

`loss.backward()` spends more time on the way to autograd's engine than in it, for a small model. The engine's
own door takes the same work without the detour: the same engine, the same kernels, the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.autograd import Variable

from engine.loop import Kind
from engine.problem import Problem

_Run: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class FastRun:
    """How a run of epochs ended."""

    done: int
    """Epochs run to their end."""

    diverged: bool
    """Whether it stopped because a loss was inf or nan. That epoch's forward pass is taken back: the
    parameters and the random number generator are as they were before it."""

    error: Exception | None = None
    """What a statement raised, in the middle of an epoch; what ran before it stays."""


def run_epochs(
    problem: Problem,
    order: Sequence[Kind],
    count: int,
    learning_rate: float,
    add_loss: Callable[[float], None],
    stopped: Callable[[], bool],
    *,
    set_to_none: bool = False,
    optimizer: torch.optim.Optimizer | None = None,
) -> FastRun:
    """Run `count` epochs on the problem's own tensors.

    Args:
        problem: What is trained.
        order: The statements of one epoch.
        count: How many epochs.
        learning_rate: For the updates.
        add_loss: Called with each finite loss.
        stopped: Asked before each epoch; the run ends where it says so.
        set_to_none: Whether zeroing sets each `.grad` to None instead of writing zeros.
        optimizer: Updates the parameters, with the learning rate that it has; None for the update by hand.
    """
    forward, backward = _passes(problem, add_loss)
    table: dict[Kind, Callable[[], object]] = {
        Kind.FORWARD: forward,
        Kind.BACKWARD: backward,
        Kind.UPDATE: _update(problem, learning_rate) if optimizer is None else optimizer.step,
        Kind.ZERO: _zeroing(problem, set_to_none=set_to_none, passes_over_none=optimizer is not None),
    }
    statements = [table[kind] for kind in order]
    done = 0
    try:
        while done < count and not stopped():
            for statement in statements:
                statement()
            done += 1
    except _Diverged:
        return FastRun(done, diverged=True)
    except Exception as error:  # a problem's own code may raise anything
        return FastRun(done, diverged=False, error=error)
    return FastRun(done, diverged=False)


# Statements are closures: a name of theirs is found sooner than an attribute, and that shows here.


def _passes(problem: Problem, add_loss: Callable[[float], None]) -> tuple[_Run, _Run]:
    """Make the forward pass, and the backward pass through the graph that it left."""
    model, loss_fn, inputs, targets = problem.model, problem.loss_fn, problem.inputs, problem.targets
    loss: Tensor | None = None
    rng = torch.get_rng_state()
    draws = True
    """Whether forward draws random numbers (dropout, say): then its start is kept, to go back to."""

    buffers = tuple(problem.buffers.values())
    """What forward changes beside its results: kept for the same reason."""

    run_backward = _engine_door()
    ones: tuple[Tensor] | None = None
    """The gradient of the loss by itself."""

    def forward() -> None:
        nonlocal loss, rng, draws
        if draws:
            rng = torch.get_rng_state()
        before = [one.clone() for one in buffers] if buffers else []
        loss = loss_fn(model(inputs), targets)
        value = loss.item()
        if not math.isfinite(value):
            if draws:
                torch.set_rng_state(rng)
            for buffer, kept in zip(buffers, before, strict=True):
                buffer.copy_(kept)
            raise _Diverged
        if draws:
            draws = not torch.equal(torch.get_rng_state(), rng)
        add_loss(value)

    def backward() -> None:
        nonlocal ones
        if run_backward is None:
            loss.backward()  # type: ignore[union-attr]
            return
        if ones is None:
            ones = (torch.ones_like(loss),)  # type: ignore[arg-type]
        # By position: naming the last two, allow_unreachable and accumulate_grad, takes a microsecond.
        run_backward((loss,), ones, False, False, (), True, True)

    return forward, backward


def _update(problem: Problem, learning_rate: float) -> _Run:
    # Written through a detached view, an update needs no `no_grad` around it.
    updates = [(p, p.detach(), _rate_for(p, learning_rate)) for p in problem.parameters.values()]

    def update() -> None:
        for leaf, values, rate in updates:
            values -= leaf.grad * rate  # type: ignore[operator]

    return update


def _zeroing(problem: Problem, *, set_to_none: bool, passes_over_none: bool) -> _Run:
    """Zero as the loop does; an optimizer's `zero_grad` does not mind a `.grad` that is None."""
    if set_to_none:
        return _set_to_none(problem)
    return _zero_what_is_there(problem) if passes_over_none else _zero(problem)


def _zero_what_is_there(problem: Problem) -> _Run:
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
    """Give the rate as the tensor that PyTorch would make of it for every product: the same bits, sooner."""
    if leaf.dtype in (torch.float32, torch.float64):
        return torch.tensor(rate, dtype=leaf.dtype)
    return rate  # half precision multiplies by the unrounded number


def _engine_door() -> Callable[..., None] | None:
    """Give the shortest way into autograd's engine; None where this PyTorch lacks it."""
    engine = getattr(Variable, "_execution_engine", None)
    return getattr(engine, "run_backward", None)
