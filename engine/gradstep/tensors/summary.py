"""What is to be said of a tensor that is too large to be looked at number by number."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.torch_internals import WeakIdKeyDictionary

BINS: Final = 64
"""Bars of a histogram; a screen may join neighbours."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Facts about all numbers of a tensor. They are PyTorch's; nan where there are no numbers."""

    shape: tuple[int, ...]
    dtype: str
    norm: float
    """The length of the tensor as a vector: the root of its sum of squares."""

    low: float
    high: float
    """The smallest and the largest number; nan where one is nan."""

    mean: float
    zeros: int
    nans: int
    infinite: int

    @property
    def count(self) -> int:
        """How many numbers there are."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many of the finite numbers lie in each of some ranges of equal width."""

    low: float
    high: float
    """Where the first range begins, and the last one ends."""

    counts: tuple[int, ...]


_SUMMARIES: Final[MutableMapping[Tensor, Summary]] = WeakIdKeyDictionary()
_HISTOGRAMS: Final[MutableMapping[Tensor, Histogram | None]] = WeakIdKeyDictionary()
"""By tensor: those that frames hold never change."""


def keep_summary(tensor: Tensor, summary: Summary) -> None:
    """Remember the summary of a tensor that has no numbers of its own any more."""
    _SUMMARIES[tensor] = summary


def summary_of(tensor: Tensor) -> Summary:
    """Give the summary of a tensor that nothing changes; worked out once."""
    found = _SUMMARIES.get(tensor)
    if found is None:
        found = _SUMMARIES[tensor] = summarized(tensor)
    return found


def histogram_of(tensor: Tensor) -> Histogram | None:
    """Give the histogram of a tensor that nothing changes; None where it has no finite number."""
    if tensor.is_meta:
        return None
    if tensor not in _HISTOGRAMS:
        _HISTOGRAMS[tensor] = _histogram(tensor)
    return _HISTOGRAMS[tensor]


def summarized(tensor: Tensor) -> Summary:
    """Work a summary out."""
    numbers = _real(tensor)
    shape, dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
    if not numbers.numel() or tensor.is_meta:
        nan = float("nan")
        return Summary(
            shape=shape, dtype=dtype, norm=nan, low=nan, high=nan, mean=nan, zeros=0, nans=0, infinite=0
        )
    low, high = (float(one) for one in torch.aminmax(numbers))
    nans = infinite = 0
    if not abs(low) + abs(high) < float("inf"):
        nans, infinite = int(torch.isnan(numbers).sum()), int(torch.isinf(numbers).sum())
    zeros = numbers.numel() - int(torch.count_nonzero(numbers))
    norm, mean = float(torch.linalg.vector_norm(numbers)), float(numbers.mean())
    return Summary(
        shape=shape,
        dtype=dtype,
        norm=norm,
        low=low,
        high=high,
        mean=mean,
        zeros=zeros,
        nans=nans,
        infinite=infinite,
    )


def _histogram(tensor: Tensor) -> Histogram | None:
    numbers, found = _real(tensor), summary_of(tensor)
    if found.nans or found.infinite:
        numbers = numbers[torch.isfinite(numbers)]
    if not numbers.numel():
        return None
    low, high = (float(one) for one in torch.aminmax(numbers))
    if low == high:
        return Histogram(low, high, (numbers.numel(),))
    counts = torch.histc(numbers, BINS, low, high)
    return Histogram(low, high, tuple(int(count) for count in counts.tolist()))


def _real(tensor: Tensor) -> Tensor:
    """Give the numbers as ones that can be summed up; of complex ones the absolute values."""
    numbers = tensor.detach()
    numbers = numbers.to_dense() if numbers.layout != torch.strided else numbers
    numbers = numbers.abs() if numbers.is_complex() else numbers
    return numbers if numbers.dtype in (torch.float32, torch.float64) else numbers.double()
