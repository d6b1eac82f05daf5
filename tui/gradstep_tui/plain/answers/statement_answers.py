"""Describes in sentences what the statement that ran last did, with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gradstep.actions import Action, Forward, NextLine, RunEpochs, RunOuter, Update, Zero
from gradstep.errors import BadInput
from gradstep.statement_steps.statement_facts import EpochsStep, ForwardStep, OwnStep, UpdateStep, ZeroStep
from gradstep_tui.plain.answers.numbers import MOST_TOLD, element_name, operand_text, rest_text
from gradstep_tui.plain.answers.sums import apart, value_texts
from gradstep_tui.text.lessons.statement_reasons import statement_reason
from gradstep_tui.text.lessons.statement_texts import (
    CHANCES,
    average_change,
    broadcast_text,
    epochs_sentence,
    still_texts,
    sum_sentence,
    zero_sentence,
)
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.tensors.digits import number_text
from gradstep_tui.text.tensors.numbers import cell, cells, rate, shape_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame
    from gradstep.statement_steps.statement_facts import Moved, Samples
    from gradstep.training.snapshots import VariableValue

RUN_BY: Final = (Forward, Update, Zero, NextLine, RunEpochs, RunOuter)
"""Actions that run statements, whose numbers are told."""

DEFAULT_SAMPLES: Final = 20
"""Number of samples that `data` lists by default."""

MOST_SAMPLES: Final = 5
"""Largest number of samples in the answer to an action; a question about the samples shows more."""

MOST_COLUMNS: Final = 12
"""Largest number of a sample's numbers in a sentence."""


def ran_texts(action: Action, frame: Frame) -> Iterator[str]:
    """Yield what an action's last statement did, if the action ran one."""
    if isinstance(action, RUN_BY):
        yield from step_of_statement_texts(frame)


def step_of_statement_texts(frame: Frame) -> Iterator[str]:
    """Yield what the statement that ran last did, but for the numbers of parameters and gradients."""
    step = frame.statement
    match step:
        case ForwardStep():
            yield from _forward_texts(step)
        case UpdateStep():
            yield from still_texts(step)
        case ZeroStep():
            yield zero_sentence(step)
        case EpochsStep():
            yield f"in sum: {epochs_sentence(step, unit_of(frame.loop))}"
            moved = [part for part in step.parameters if part.has_moved]
            yield from (
                f"the numbers of {part.name} changed by {number_text(average_change(part))} on average"
                for part in moved[:MOST_SAMPLES]
            )
        case OwnStep():
            yield from _own_texts(step)
        case None:
            return


def whole_statement_texts(frame: Frame) -> Iterator[str]:
    """Yield the same with all numbers of parameters and gradients before and after, and why it is done."""
    yield from step_of_statement_texts(frame)
    step = frame.statement
    if isinstance(step, UpdateStep):
        for parameter in frame.parameters:
            yield from moved_texts(frame, parameter)
    elif isinstance(step, ZeroStep):
        for grad in step.grads:
            yield operand_text(f"{grad.name}.grad before", grad.before)
            yield operand_text(f"{grad.name}.grad now", grad.after)
    reason = statement_reason(frame)
    if reason:
        yield reason


def moved_texts(frame: Frame, parameter: ParameterFrame) -> Iterator[str]:
    """Yield a parameter's change: as `w - lr * w.grad = new w` if that is what happened, else was and now."""
    step = frame.statement
    if isinstance(step, UpdateStep) and step.by_rule and parameter.value_before is not None:
        moved = next((part for part in step.parameters if part.name == parameter.name), None)
        if moved is not None and moved.grad is not None:
            yield from _rule_texts(moved, parameter, step.learning_rate, moved.grad)
            return
    yield from value_texts(parameter)


def _rule_texts(moved: Moved, parameter: ParameterFrame, learning_rate: float, grad: Tensor) -> Iterator[str]:
    size = moved.before.numel()
    yield f"{moved.name} changed by {moved.name} - {rate(learning_rate)} * {moved.name}.grad:"
    columns = (tensor.reshape(-1)[:MOST_TOLD].tolist() for tensor in (moved.before, grad, moved.after))
    for place, (old, slope, new) in enumerate(zip(*columns, strict=True)):
        was, now = apart(old, new) if old != new else (cell(old), cell(new))
        step = f"{rate(learning_rate)} * {cell(slope)}"
        yield f"  {element_name(moved.name, parameter, place)}: {was} - {step} = {now}"
    yield from rest_text(f"  {moved.name}", size - MOST_TOLD)


def _forward_texts(step: ForwardStep) -> Iterator[str]:
    samples = step.samples
    yield from sample_texts(samples, most=MOST_SAMPLES)
    if samples.loss is not None:
        yield from filter(None, [CHANCES.get(samples.loss.form, "")])
        yield sum_sentence(samples.loss, step.loss)
    yield from filter(None, [broadcast_text(samples)])


def data_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield the samples of the last forward pass, as many as `text` says.

    Raises:
        BadInput: `text` is not a whole number from 1.
    """
    most = DEFAULT_SAMPLES
    if text:
        plain = text.replace(",", "")
        if not (plain.isascii() and plain.isdigit() and len(plain) < 10 and int(plain)):
            raise BadInput(
                f"{text[:40]!r} is not a number of samples: enter a whole number from 1, e.g. data 50"
            )
        most = int(plain)
    samples = None if frame.lesson is None else frame.lesson.samples
    if samples is None:
        yield "the samples are not known: type next until a round has computed its loss"
        return
    yield from sample_texts(samples, most)
    if samples.preds is None:
        yield "no predictions yet: type forward"
    elif samples.stale:
        yield "the predictions were computed before the update"


def sample_texts(samples: Samples, most: int) -> Iterator[str]:
    """Yield a line for each sample: its inputs, prediction, target, and what the loss makes of them.

    Args:
        samples: The samples.
        most: Largest number of samples.
    """
    found = samples.loss
    parts = [
        (samples.names[0], samples.inputs),
        ("prediction", samples.preds),
        ("target", samples.targets),
        ("error", None if found is None else found.difference),
        ("p", None if found is None else found.chances),
    ]
    known = [(name, tensor) for name, tensor in parts if tensor is not None]
    count = max((len(tensor) for _, tensor in known if tensor.dim()), default=1)
    columns = [(name, _rows(tensor, min(count, most))) for name, tensor in known]
    numbers = None if samples.numbers is None else samples.numbers.tolist()
    for row in range(min(count, most)):
        told = (f"{name} {rows[row]}" for name, rows in columns if row < len(rows))
        yield f"sample {(row if numbers is None else numbers[row]) + 1}: {'; '.join(told)}"
    if count > most:
        yield f"{count - most:,} more samples"


def _rows(tensor: Tensor, most: int) -> list[str]:
    grid = tensor.reshape(-1, 1) if tensor.dim() < 2 else tensor.flatten(1)
    rest = f", and {grid.shape[1] - MOST_COLUMNS:,} more" if grid.shape[1] > MOST_COLUMNS else ""
    return [f"{', '.join(row)}{rest}" for row in cells(grid[:most], columns=MOST_COLUMNS)]


def _own_texts(step: OwnStep) -> Iterator[str]:
    if step.samples is not None and step.samples.loss is not None and step.loss is not None:
        yield from sample_texts(step.samples, MOST_SAMPLES)
        yield sum_sentence(step.samples.loss, step.loss)
        yield from filter(None, [broadcast_text(step.samples)])
        return
    yield from map(_value_text, step.assigned)


def _value_text(value: VariableValue) -> str:
    if value.value is None:
        shape = "" if value.shape is None else f"{shape_text(value.shape)} "
        return f"{value.name} is {shape}{value.kind}".strip()
    return operand_text(value.name, value.value)
