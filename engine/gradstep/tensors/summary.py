"""Summaries and histograms of tensors that are too large to be read number by number."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.torch_internals import WeakIdKeyDictionary

BINS: Final = 64
"""Number of ranges of a histogram; a screen may join neighbours."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Facts about all numbers of a tensor, computed by PyTorch; nan if the tensor has no numbers."""

    shape: tuple[int, ...]
    dtype: str
    """Name of the dtype, e.g. `float32`."""

    norm: float
    """Length of the tensor as a vector: the root of its sum of squares."""

    low: float
    """The smallest number; nan if any number is nan."""

    high: float
    """The largest number; nan if any number is nan."""

    mean: float
    zeros: int
    """Number of elements that are 0."""

    nans: int
    """Number of elements that are nan."""

    infinite: int
    """Number of elements that are inf or -inf."""

    @property
    def count(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of a tensor's finite numbers in ranges of equal width."""

    low: float
    """Beginning of the first range."""

    high: float
    """End of the last range."""

    counts: tuple[int, ...]
    """Number of elements in each range, in ascending order."""


_SQUARES_FIT: Final = {torch.float32: (1e-15, 1e15), torch.float64: (1e-140, 1e140)}
"""Bounds of the largest magnitude between which a sum of squares neither overflows nor loses digits."""

_SUMMARIES: Final[MutableMapping[Tensor, Summary]] = WeakIdKeyDictionary()
"""Summaries by tensor; the tensors that frames hold never change."""

_HISTOGRAMS: Final[MutableMapping[Tensor, Histogram | None]] = WeakIdKeyDictionary()
"""Histograms by tensor; None for a tensor without finite numbers."""


def keep_summary(tensor: Tensor, summary: Summary) -> None:
    """Remember the summary of a tensor that no longer has numbers of its own."""
    _SUMMARIES[tensor] = summary


def summary_of(tensor: Tensor) -> Summary:
    """Return the summary of a tensor that is never changed; it is computed once."""
    found = _SUMMARIES.get(tensor)
    if found is None:
        found = _SUMMARIES[tensor] = summarize(tensor)
    return found


def histogram_of(tensor: Tensor) -> Histogram | None:
    """Return the histogram of a tensor that is never changed, or None if it has no finite number."""
    if tensor.is_meta:
        return None
    if tensor not in _HISTOGRAMS:
        _HISTOGRAMS[tensor] = _histogram(tensor)
    return _HISTOGRAMS[tensor]


def summarize(tensor: Tensor) -> Summary:
    """Return a new summary of a tensor."""
    numbers = _real(tensor)
    shape, dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
    if not numbers.numel() or tensor.is_meta:
        nan = float("nan")
        return Summary(
            shape=shape, dtype=dtype, norm=nan, low=nan, high=nan, mean=nan, zeros=0, nans=0, infinite=0
        )
    low, high = map(float, torch.aminmax(numbers))
    nans = infinite = 0
    if not abs(low) + abs(high) < float("inf"):
        nans, infinite = int(torch.isnan(numbers).sum()), int(torch.isinf(numbers).sum())
    return Summary(
        shape=shape,
        dtype=dtype,
        norm=_length(numbers, max(abs(low), abs(high))),
        low=low,
        high=high,
        mean=_mean(numbers),
        zeros=numbers.numel() - int(torch.count_nonzero(numbers)),
        nans=nans,
        infinite=infinite,
    )


def norm_of(tensor: Tensor) -> float:
    """Return the length of a tensor as a vector, whatever the size of its numbers is; 0 for an empty one."""
    numbers = _real(tensor)
    return _length(numbers, float(numbers.abs().max())) if numbers.numel() else 0.0


def _length(numbers: Tensor, largest: float) -> float:
    """Return the root of the sum of squares of numbers, of which `largest` is the largest magnitude."""
    if not 0 < largest < math.inf:  # nan is neither
        return largest
    least, most = _SQUARES_FIT[numbers.dtype]
    if least < largest < most:
        return float(torch.linalg.vector_norm(numbers))
    return largest * float(torch.linalg.vector_norm(numbers.double() / largest))


def _mean(numbers: Tensor) -> float:
    mean = float(numbers.mean())
    return mean if math.isfinite(mean) else float(numbers.mean(dtype=torch.float64))


def _histogram(tensor: Tensor) -> Histogram | None:
    numbers, found = _real(tensor), summary_of(tensor)
    if found.nans or found.infinite:
        numbers = numbers[torch.isfinite(numbers)]
    if not numbers.numel():
        return None
    low, high = map(float, torch.aminmax(numbers))
    if low == high:
        return Histogram(low, high, (numbers.numel(),))
    counts = torch.histc(numbers, BINS, low, high)
    return Histogram(low, high, tuple(int(count) for count in counts.tolist()))


def _real(tensor: Tensor) -> Tensor:
    """Return a tensor's numbers in a dense tensor that can be summed; of complex numbers, the magnitudes."""
    numbers = tensor.detach()
    numbers = numbers.to_dense() if numbers.layout != torch.strided else numbers
    numbers = numbers.abs() if numbers.is_complex() else numbers
    return numbers if numbers.dtype in (torch.float32, torch.float64) else numbers.double()
