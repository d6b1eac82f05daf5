"""Assertions: a few lines of Python for every number that a frame shows and the frame before it did not."""

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
"""Elements of the largest tensor asserted in full; of larger ones, shape, sum and norm are asserted."""

OF_GRADS: Final = frozenset(
    state.name for row in ROWS.values() for state in row.state if state.scales_with_gradient
)
"""Names of the state tensors of optimizers whose rounding errors are in proportion to gradients."""

MOST_LOSSES: Final = 200
"""Number of losses of a run, about, that are asserted; of a longer run, a sample at equal distances."""


def check(name: str, expression: str, value: Any) -> list[str]:
    """Return the assertion that an expression has a value.

    Args:
        name: Name of the number, for the message if the assertion fails.
        expression: Python expression in the export.
        value: Number or tensor that the session showed; None if it showed none.
    """
    if isinstance(value, Tensor) and value.is_meta:
        return [f"# {name}: gradstep kept only a summary of it."]
    if not isinstance(value, Tensor) or value.numel() <= MOST_ELEMENTS:
        return call("check", [json.dumps(name), expression, number_literal(value)])
    wide = value.detach().double()
    return [
        f"# {value.numel():,} elements: only their shape, sum and norm are checked.",
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
    """Yield assertions of the parameters, gradients and optimizer state of the first frame."""
    for parameter in frame.parameters:
        yield from check(parameter.name, expression(parameter.name), parameter.value)
        yield from check(f"{parameter.name}.grad", f"{expression(parameter.name)}.grad", parameter.grad)
        yield from _memory(parameter, parameter, everything=True)


def check_changes(before: Frame, after: Frame, *, everything: bool = False) -> Iterator[str]:
    """Yield assertions of the loss, predictions, parameters and gradients that an action changed.

    Args:
        before: Frame before the action.
        after: Frame after the action.
        everything: Whether unchanged parameters and gradients are asserted, too.
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
    """Yield assertions of the optimizer's state for a parameter that is new or has changed."""
    for part, value in new.memory.items():
        if everything or not same_bits(old.memory.get(part), value):
            # The export's `check` looks up `<parameter>.grad`, the first word, to scale the tolerance.
            name = f"{new.name}.grad history, {part}" if part in OF_GRADS else f"{new.name} {part}"
            yield from check(name, f'optimizer.state[{expression(new.name)}]["{part}"]', value)


def check_losses(losses: Sequence[float]) -> Iterator[str]:
    """Yield assertions of a run's losses, or of a sample; the export keeps them in a list `losses`."""
    every = max(1, -(-len(losses) // MOST_LOSSES))
    if every == 1:
        yield from check("losses", "losses", [*losses])
        return
    sample = [*losses[::every], losses[-1]]
    of = f"# Of {len(losses):,} losses,"
    yield f"{of} one in {every:,} is checked, beginning with the first, and the last."
    yield f"assert len(losses) == {len(losses)}"
    yield from check("losses", f"losses[::{every}] + losses[-1:]", sample)


def _shown_sum(frame: Frame, parameter: ParameterFrame) -> Accumulation | None:
    """Return the `old + new = sum` that a frame shows, with the parameter or as the latest event."""
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
        return  # the sum is `new` alone, and the `.grad` is asserted anyway
    yield from check(f"{grad} before the pass", f'old["{name}"]', after.before)
    yield from check(f"{grad} gets", f'new["{name}"]', after.part)
    if not is_there and after.before is not None:
        yield from check(f"{grad} after the pass", f'old["{name}"] + new["{name}"]', after.after)


def _grad(frame: Frame, parameter: ParameterFrame) -> str:
    """Return the expression for a `.grad` as a frame shows it; the export has run the whole pass by then."""
    if frame.in_pass and frame.backward is not None and parameter.accumulation is None:
        writes = (event.accumulation for event in frame.backward.events if isinstance(event, NodeEvent))
        if any(write and write.parameter == parameter.name and write.part is not None for write in writes):
            return f'old["{parameter.name}"]'
    return f"{expression(parameter.name)}.grad"
