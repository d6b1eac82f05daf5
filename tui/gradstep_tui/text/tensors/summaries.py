"""Tensors that are too large to be shown number by number: their summaries, as words and as bars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.text.tensors.numbers import NOT_KEPT, cell, shape_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame
    from gradstep.tensors.summary import Histogram, Summary

BARS: Final = " ▁▂▃▄▅▆▇█"
"""From no number to the most."""


def summary(tensor: Tensor) -> Summary:
    """Return the summary of a tensor."""
    from gradstep.tensors.summary import summary_of  # torch: not before the first frame

    return summary_of(tensor)


def histogram(tensor: Tensor) -> Histogram | None:
    """Return the histogram of a tensor; None if it holds no finite number."""
    from gradstep.tensors.summary import histogram_of

    return histogram_of(tensor)


def facts(found: Summary) -> Iterator[tuple[str, str]]:
    """Return the statistics of all numbers, each with its name."""
    whole = found.dtype.startswith(("int", "uint"))
    low, high = (cell(int(bound) if whole else bound) for bound in (found.low, found.high))
    yield from (
        ("norm", cell(found.norm)),
        ("min", low),
        ("max", high),
        ("mean", cell(found.mean)),
        ("zeros", f"{found.zeros:,}"),
        ("nan", f"{found.nans:,}"),
        ("inf", f"{found.infinite:,}"),
    )


def summary_text(tensor: Tensor | None) -> str:
    """Return a summary in one line; nan and inf are counted only if there are any."""
    if tensor is None:
        return "None"
    found = summary(tensor)
    if tensor.is_meta and math.isnan(found.norm):
        return NOT_KEPT
    told = [f"{name} {text}" for name, text in facts(found) if name not in ("nan", "inf") or text != "0"]
    return ", ".join(told)


def bars(counts: Sequence[int], width: int) -> str:
    """Return counts as bars, a character each; neighbours are joined if there is too little room."""
    step = max(-(-len(counts) // max(width, 1)), 1)
    joined = [sum(counts[first : first + step]) for first in range(0, len(counts), step)]
    most = max(joined, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] if most else " " for count in joined)


def histogram_text(tensor: Tensor, width: int) -> str:
    """Draw a tensor's histogram between the smallest and the largest finite number."""
    found = histogram(tensor)
    if found is None:
        return "no finite number"
    low, high = cell(found.low), cell(found.high)
    return f"{low} {bars(found.counts, max(width - len(low) - len(high) - 2, 8))} {high}"


def numbers_in(frame: Frame) -> int:
    """Return how many numbers all parameters hold."""
    return sum(parameter.value.numel() for parameter in frame.parameters)


def size_text(parameter: ParameterFrame) -> str:
    """Return a parameter's shape, dtype and size."""
    found = parameter.value
    dtype = str(found.dtype).removeprefix("torch.")
    return f"{shape_text(tuple(found.shape))} {dtype}, {found.numel():,} numbers"


def shortened(name: str, width: int) -> str:
    """Cut a name in its middle: what tells parameters apart stands at both ends."""
    if len(name) <= width:
        return name
    front = max((width - 1) // 3, 0)
    return f"{name[:front]}…{name[len(name) - max(width - 1 - front, 0) :]}"
