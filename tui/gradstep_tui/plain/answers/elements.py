"""Describes parameters of any size in sentences: summaries, and single numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.tensors.element_index import index_at, place_of
from gradstep_tui.plain.answers.numbers import MOST_ASKED, size_text
from gradstep_tui.plain.answers.sums import apart
from gradstep_tui.text.frames import sum_note
from gradstep_tui.text.tensors.indices import index_from
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.text.tensors.parameter_tensors import parts_of
from gradstep_tui.text.tensors.summaries import histogram, numbers_in, summary, summary_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

RANGES: Final = 8
"""Number of ranges in which a histogram is described."""

TOLD: Final = 10
"""Number of elements that are listed from an index on."""


def elements_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield summaries of all parameters or of one, or the numbers of one from an index on.

    Args:
        frame: The frame.
        text: Name of a parameter, with or without an index, e.g. `0.weight[3,17]`; empty for all parameters.

    Raises:
        BadInput: there is no such parameter or index.
    """
    if not text:
        for parameter in frame.parameters:
            yield from _summaries(parameter)
        return
    name, _, rest = text.replace("[", " ", 1).partition(" ")
    by_name = {parameter.name: parameter for parameter in frame.parameters}
    named = by_name.get(name.removesuffix(".grad"))
    if named is None:
        known = ", ".join([*by_name][:TOLD]) + ", ..." * (len(by_name) > TOLD)
        raise BadInput(f"{name[:40]!r} is not a parameter; the parameters are {known}")
    if rest.strip():
        yield from _numbers(named, rest)
        return
    for title, tensor in parts_of(named).items():
        yield f"{_title(named, title)}, {size_text(named.value)}: {summary_text(tensor)}"
        yield from () if tensor is None else _histogram_texts(tensor)


def is_large(frame: Frame) -> bool:
    """Return whether there are too many numbers to list each."""
    return numbers_in(frame) > MOST_ASKED


def large_change_texts(frame: Frame) -> Iterator[str]:
    """Yield the last action's changes, each parameter and each `.grad` by its summary."""
    for parameter in frame.parameters:
        if parameter.value_before is not None:
            was, now = apart(summary(parameter.value_before).norm, summary(parameter.value).norm)
            yield f"{parameter.name} changed: norm {was} becomes {now}"
    for parameter in frame.parameters:
        if not parameter.grad_changed:
            continue
        name, written = f"{parameter.name}.grad", parameter.accumulation
        if written is None:
            yield f"{name} is now: {summary_text(parameter.grad)}"
        else:
            old, new, total = (_norm(part) for part in (written.before, written.part, parameter.grad))
            note = sum_note(parameter)
            yield f"{name}, {note}: norm of old {old}, of new {new}, of their sum {total}"


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
        numbers = [
            f"{title} {'None' if tensor is None else cell(tensor[at].item())}"
            for title, tensor in parts_of(parameter).items()
        ]
        yield f"{parameter.name}[{','.join(map(str, at))}]: {', '.join(numbers)}"
