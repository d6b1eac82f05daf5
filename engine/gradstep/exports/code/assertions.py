"""Assertions: a line, or a few, for every number that a frame shows and the frame before it did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.autograd.events import Accumulation, NodeEvent
from gradstep.exports.code.number_literals import call, number_literal
from gradstep.exports.code.parameter_expressions import expression
from gradstep.frame import Frame, ParameterFrame
from gradstep.loop.optimizer_table import ROWS
from gradstep.tensors.bitwise import same_bits

MOST_ELEMENTS: Final = 1000
"""Of a larger tensor, shape, sum and norm stand for its elements."""

OF_GRADS: Final = frozenset(
    state.name for row in ROWS.values() for state in row.state if state.scales_with_gradient
)
"""Names of the state tensors of optimizers whose rounding errors are in proportion to gradients."""

MOST_LOSSES: Final = 200
"""Of a longer run, about so many losses are asserted."""


def check(name: str, expression: str, value: Any) -> list[str]:
    """Assert that an expression of the export has a value; `name` tells which number does not."""
    if isinstance(value, Tensor) and value.is_meta:
        return [f"# {name}: the trace kept a summary only."]
    if not isinstance(value, Tensor) or value.numel() <= MOST_ELEMENTS:
        return call("check", [json.dumps(name), expression, number_literal(value)])
    wide = value.detach().double()
    return [
        f"# {value.numel():,} elements: their shape, sum and norm stand for them.",
        f"assert {expression}.shape == {tuple(value.shape)}",
        *call(
            "check",
            [
                json.dumps(f"{name} sum and norm"),
                f"summary({expression})",
                number_literal(torch.stack([wide.sum(), wide.norm()])),
            ],
        ),
    ]


def check_start(frame: Frame) -> Iterator[str]:
    """Assert what the first frame shows."""
    for one in frame.parameters:
        yield from check(one.name, expression(one.name), one.value)
        yield from check(f"{one.name}.grad", f"{expression(one.name)}.grad", one.grad)
        yield from _memory(one, one, everything=True)


def check_changes(before: Frame, after: Frame, *, everything: bool = False) -> Iterator[str]:
    """Assert the loss, predictions, parameters and gradients that are other ones than before.

    Args:
        before: What was shown before.
        after: What was shown then.
        everything: Whether parameters and gradients that came out as they were are asserted, too.
    """
    if after.preds is not None and after.preds is not before.preds:
        yield from check("preds", "preds", after.preds)
        yield from check("loss", "loss.item()", after.loss)
    for old, new in zip(before.parameters, after.parameters, strict=True):
        if everything or not same_bits(old.value, new.value):
            yield from check(new.name, expression(new.name), new.value)
        yield from _sum(_shown_sum(before, old), _shown_sum(after, new), new)
        if everything or not same_bits(old.grad, new.grad):
            yield from check(f"{new.name}.grad", _grad(after, new), new.grad)
        yield from _memory(old, new, everything=everything)


def _memory(old: ParameterFrame, new: ParameterFrame, *, everything: bool) -> Iterator[str]:
    """Assert what the optimizer remembers of a parameter and did not before, or that it remembers nothing."""
    for part, value in new.memory.items():
        if everything or not same_bits(old.memory.get(part), value):
            # By this name, a tolerance in proportion to the gradient at the start belongs to it.
            name = f"{new.name}.grad of the past, {part}" if part in OF_GRADS else f"{new.name} {part}"
            yield from check(name, f'optimizer.state[{expression(new.name)}]["{part}"]', value)


def check_losses(losses: Sequence[float]) -> Iterator[str]:
    """Assert the losses of a run, which the export has in a list `losses`; of a long one, a sample."""
    every = max(1, -(-len(losses) // MOST_LOSSES))
    if every == 1:
        yield from check("losses", "losses", [*losses])
        return
    sample = [*losses[::every], losses[-1]]
    yield f"# Of {len(losses):,} losses, one in {every:,} is checked, from the first on, and the last."
    yield f"assert len(losses) == {len(losses)}"
    yield from check("losses", f"losses[::{every}] + losses[-1:]", sample)


def _shown_sum(frame: Frame, parameter: ParameterFrame) -> Accumulation | None:
    """Give `old + new = sum` where the frame shows it: with the parameter, or as the pass's latest event."""
    if parameter.accumulation is not None or frame.backward is None or not frame.backward.done:
        return parameter.accumulation
    event = frame.backward.events[frame.backward.done - 1]
    write = event.accumulation if isinstance(event, NodeEvent) else None
    return write if write is not None and write.parameter == parameter.name else None


def _sum(before: Accumulation | None, after: Accumulation | None, parameter: ParameterFrame) -> Iterator[str]:
    if after is None or after is before or after.part is None:
        return
    name, grad = parameter.name, f"{parameter.name}.grad"
    is_there = same_bits(parameter.grad, after.after)
    if after.before is None and is_there:
        return  # then `new` is all there is to the sum, and that is asserted
    yield from check(f"{grad} before the pass", f'old["{name}"]', after.before)
    yield from check(f"{grad} gets", f'new["{name}"]', after.part)
    if not is_there and after.before is not None:
        yield from check(f"{grad} after the pass", f'old["{name}"] + new["{name}"]', after.after)


def _grad(frame: Frame, parameter: ParameterFrame) -> str:
    """Give the expression for a `.grad` that a frame shows: the export's passes have run to their end."""
    if frame.in_pass and frame.backward is not None and parameter.accumulation is None:
        writes = (one.accumulation for one in frame.backward.events if isinstance(one, NodeEvent))
        if any(one and one.parameter == parameter.name and one.part is not None for one in writes):
            return f'old["{parameter.name}"]'
    return f"{expression(parameter.name)}.grad"
