"""What wrong ideas make of an element of a parameter, or of its move."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from msgspec import structs
from torch import Tensor

from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.predicting.case import Case
from gradstep.predicting.grad_slips import Found
from gradstep.predictions.judging import Doing, Reply, Slip
from gradstep.predictions.question import Asked
from gradstep.training.live_optimizer import LiveOptimizer

AsAsked = Callable[[float], float]
"""Turns a value into what is asked for: the value itself, or its distance from the value before."""


def value_slips(case: Case, truth: Reply) -> Found:
    """Yield the slips of a question about a parameter, with what each leads to."""
    start = case.value
    if start is None or not isinstance(truth, float):
        return
    moves = case.target.asked is Asked.MOVE

    def asked(value: float) -> float:
        return value - start if moves else value

    match case.ran.doing:
        case Doing.UPDATE:
            yield from _after_update(case, start, asked)
        case Doing.EPOCHS:
            yield Slip.UNCHANGED, asked(start)
        case Doing.BACKWARD:
            grad = case.at(case.ran.after.trainer.grads[case.place])
            if grad and not math.isnan(case.rate):
                yield Slip.MOVED, asked(start - case.rate * grad)
                yield Slip.WRONG_WAY, asked(start + case.rate * grad)
        case Doing.ZERO:
            yield (Slip.ZERO, asked(0.0))


def _after_update(case: Case, start: float, asked: AsAsked) -> Found:
    after = case.at(case.ran.after.trainer.parameters[case.place])
    assert after is not None
    grad = case.at(case.grad_tensor)
    if case.grad_tensor is None:
        yield from _without_gradient(case, asked)
        return
    yield Slip.UNCHANGED, asked(start)
    yield Slip.WRONG_WAY, asked(2 * start - after)
    if grad is None or math.isnan(case.rate) or _has_pass(case):
        return
    sign = -1.0 if case.ran.pre.optimizer.values.get("maximize") else 1.0
    if case.rate != 1:
        yield Slip.WITHOUT_RATE, asked(start - sign * grad)
    if case.target.asked is Asked.VALUE:
        yield Slip.TIMES_RATE, case.rate * grad
    yield from _of_parts(case, start, sign, asked)
    yield from _of_other_steps(case, start, sign * grad, asked)


def _has_pass(case: Case) -> bool:
    """Return whether the statement ran a pass itself, as a closure does: its gradients are not known."""
    passing = case.ran.after.passing
    return passing is not None and not passing.over


def _of_parts(case: Case, start: float, sign: float, asked: AsAsked) -> Found:
    """Yield what comes of the last pass alone, and of what was there before it."""
    write = case.last_write
    if write is None or write.before is None or write.after is None or case.ran.is_zero(write.before):
        return
    grad = case.grad_tensor
    part, before = case.at(write.part), case.at(write.before)
    if part is None or before is None or grad is None or not case.ran.are_same(write.after, grad):
        return
    yield Slip.NEW, asked(start - sign * case.rate * part)
    yield Slip.STALE, asked(start - sign * case.rate * before)


def _of_other_steps(case: Case, start: float, grad: float, asked: AsAsked) -> Found:
    """Yield what simpler steps than the optimizer's come to."""
    chosen, memory = case.ran.pre.optimizer, case.ran.pre.memory
    plain = start - case.rate * grad
    if chosen.name == "SGD":
        if chosen.values["momentum"] and memory and memory[case.place]:
            yield Slip.WITHOUT_MOMENTUM, asked(_stepped(case, _changed(chosen, momentum=0.0)))
    elif not case.is_plain_step:
        has_momentum = bool(memory) and "momentum_buffer" in memory[case.place]
        yield (Slip.WITHOUT_MOMENTUM if has_momentum else Slip.PLAIN_STEP), asked(plain)
    if chosen != HAND and chosen.values.get("weight_decay"):
        yield Slip.WITHOUT_DECAY, asked(_stepped(case, structs.replace(chosen, weight_decay=0.0)))


def _changed(chosen: Optimizer, momentum: float) -> Optimizer:
    return structs.replace(chosen, momentum=momentum, nesterov=None, dampening=None)


def _without_gradient(case: Case, asked: AsAsked) -> Found:
    """Yield what comes of a gradient that is taken for 0 although there is none."""
    chosen, memory = case.ran.pre.optimizer, case.ran.pre.memory
    parameter = case.ran.pre.parameters[case.place]
    if chosen == HAND or not memory or not memory[case.place]:
        return
    moved = _step(case, chosen, torch.zeros_like(parameter))
    if not torch.equal(moved, parameter):
        value = case.at(moved)
        assert value is not None
        yield Slip.MOVED, asked(value)


def _stepped(case: Case, optimizer: Optimizer) -> float:
    """Return the element after one step of PyTorch's optimizer with other options, on copies."""
    assert case.grad_tensor is not None
    grad = case.grad_tensor
    found = case.at(case.ran.once((case.place, optimizer), lambda: _step(case, optimizer, grad)))
    assert found is not None
    return found


def _step(case: Case, optimizer: Optimizer, grad: Tensor) -> Tensor:
    pre = case.ran.pre
    copy = pre.parameters[case.place].clone().requires_grad_()
    copy.grad = grad.clone()
    live = LiveOptimizer(optimizer, [copy])
    live.recall((pre.memory[case.place],) if pre.memory else ())
    with torch.no_grad():
        live.with_rate(case.rate).step()
    return copy.detach()


def memory_slips(case: Case, truth: Reply) -> Found:
    """Yield the slips of a question about an optimizer's state, with what each leads to."""
    if not isinstance(truth, float):
        return
    pre, part = case.ran.pre, case.target.part
    before = pre.memory[case.place].get(part) if pre.memory else None
    if case.ran.doing is not Doing.UPDATE:
        yield Slip.ZERO, 0.0
        if case.ran.doing is Doing.ZERO:
            yield Slip.NONE, None
        return
    after, grad = case.ran.after.trainer.memory[case.place].get(part), case.grad_tensor
    if after is None or grad is None or after.shape != grad.shape:
        return
    power = 2 if part.endswith(("avg_sq", "square_avg", "sum", "acc_delta")) else 1
    brought = case.ran.once(("brought", case.place, power), lambda: grad**power)
    yield from _of_memory(case, before, brought, after)


def _of_memory(
    case: Case, before: Tensor | None, brought: Tensor, after: Tensor
) -> Iterator[tuple[Slip, Reply]]:
    """Yield what comes of a state's old value, and of what the gradient brings to it."""
    new, old = case.at(brought), case.at(before)
    if new is None:
        return
    if not case.ran.are_same(brought, after):
        yield Slip.NEW, new
    if before is None:
        yield Slip.ZERO, 0.0
    elif old is not None:
        yield Slip.OLD, old
        if not case.ran.is_zero(before):
            yield Slip.SUM, old + new
