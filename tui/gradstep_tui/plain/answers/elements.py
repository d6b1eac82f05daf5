"""Parameters of any size in sentences: summaries, and single numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.tensors.element_index import index_at, place_of
from gradstep_tui.plain.answers.numbers import MOST_ASKED, size_text
from gradstep_tui.plain.answers.sums import apart
from gradstep_tui.text.frames import sum_note
from gradstep_tui.text.indices import index_from
from gradstep_tui.text.numbers import cell
from gradstep_tui.text.parameter_tensors import parts_of
from gradstep_tui.text.summaries import histogram, numbers_in, summary, summary_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

RANGES: Final = 8
"""Ranges that a histogram is told in."""

TOLD: Final = 10
"""Numbers that are told from an index on."""


def elements_texts(frame: Frame, text: str) -> Iterator[str]:
    """Tell the summaries of all parameters, of one, or its numbers from an index on: `0.weight[3,17]`."""
    if not text:
        for one in frame.parameters:
            yield from _summaries(one)
        return
    name, _, rest = text.replace("[", " ", 1).partition(" ")
    parameter = next((one for one in frame.parameters if one.name == name.removesuffix(".grad")), None)
    if parameter is None:
        known = ", ".join(one.name for one in frame.parameters[:TOLD])
        raise BadInput(f"{name[:40]!r} is no parameter: there is {known}")
    if rest.strip():
        yield from _numbers(parameter, rest)
        return
    for title, tensor in parts_of(parameter).items():
        yield f"{_title(parameter, title)}, {size_text(parameter.value)}: {summary_text(tensor)}"
        yield from () if tensor is None else _histogram_texts(tensor)


def is_large(frame: Frame) -> bool:
    """Whether there are too many numbers to tell each."""
    return numbers_in(frame) > MOST_ASKED


def large_change_texts(frame: Frame) -> Iterator[str]:
    """Tell what the last action changed, each parameter and each `.grad` by its summary."""
    for one in frame.parameters:
        if one.value_before is not None:
            was, now = apart(summary(one.value_before).norm, summary(one.value).norm)
            yield f"{one.name} changed: norm {was} becomes {now}"
    for one in frame.parameters:
        if not one.grad_changed:
            continue
        if one.accumulation is None:
            yield f"{one.name}.grad is now: {summary_text(one.grad)}"
        else:
            old, new, total = (
                _norm(part) for part in (one.accumulation.before, one.accumulation.part, one.grad)
            )
            yield f"{one.name}.grad, {sum_note(one)}: norm of old {old}, of new {new}, of their sum {total}"


def _norm(tensor: Tensor | None) -> str:
    return "None" if tensor is None else cell(summary(tensor).norm)


def _summaries(parameter: ParameterFrame) -> Iterator[str]:
    for title, tensor in parts_of(parameter).items():
        yield f"{_title(parameter, title)}, {size_text(parameter.value)}: {summary_text(tensor)}"


def _title(parameter: ParameterFrame, part: str) -> str:
    return parameter.name if part == "value" else f"{parameter.name}.{part}"


def _histogram_texts(tensor: Tensor) -> Iterator[str]:
    found = histogram(tensor)
    if found is None:
        return
    step = -(-len(found.counts) // RANGES)
    wide = (found.high - found.low) / len(found.counts)
    for first in range(0, len(found.counts), step):
        some = found.counts[first : first + step]
        low, high = found.low + first * wide, found.low + (first + len(some)) * wide
        yield f"  {cell(low)} to {cell(high)}: {sum(some):,} numbers"


def _numbers(parameter: ParameterFrame, text: str) -> Iterator[str]:
    shape = tuple(parameter.value.shape)
    first = place_of(shape, index_from(text, shape))
    for place in range(first, min(first + TOLD, parameter.value.numel())):
        at = index_at(shape, place)
        told = [
            f"{title} {'None' if one is None else cell(one[at].item())}"
            for title, one in parts_of(parameter).items()
        ]
        yield f"{parameter.name}[{','.join(map(str, at))}]: {', '.join(told)}"
