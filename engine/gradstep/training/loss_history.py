"""Losses of all epochs, in a buffer that frames share."""

from __future__ import annotations

import math
from array import array

import numpy as np


class Losses:
    """Losses of a session's epochs, from the first. Immutable, but several may share a growing buffer."""

    __slots__ = ("_buffer", "_length")

    def __init__(self, buffer: array[float] | None = None, length: int = 0) -> None:
        """Take the first `length` numbers of `buffer`; without arguments, there are none."""
        self._buffer = array("d") if buffer is None else buffer
        self._length = length

    def __len__(self) -> int:
        """Return the number of epochs."""
        return self._length

    def __getitem__(self, epoch: int) -> float:
        """Return the loss of an epoch, counted from 0; nan if the epoch computed none."""
        if not 0 <= epoch < self._length:
            raise IndexError(epoch)
        return self._buffer[epoch]

    def with_loss(self, epoch: int, value: float) -> Losses:
        """Return the losses of earlier epochs, nan for missing ones, and `value` as the loss of `epoch`."""
        if epoch < len(self._buffer) or self._length < len(self._buffer):
            same = epoch < self._length and self._buffer[epoch] == value and epoch + 1 == self._length
            if same:
                return self
            fork = array("d", self._buffer[: min(epoch, self._length)])
        else:
            fork = self._buffer
        fork.extend([math.nan] * (epoch - len(fork)))
        fork.append(value)
        return Losses(fork, len(fork))

    def first(self, count: int) -> array[float]:
        """Return a copy of the first `count` numbers."""
        return self._buffer[: min(count, self._length)]

    def last(self, count: int | None = None) -> array[float]:
        """Return a copy of the last `count` numbers; of all by default."""
        return self._buffer[max(self._length - (self._length if count is None else count), 0) : self._length]

    def grown(self) -> Losses:
        """Return all losses in the shared buffer; another thread may still be appending to it."""
        return Losses(self._buffer, len(self._buffer))

    def open_end(self, epoch: int) -> array[float]:
        """Return a buffer to which a run appends the losses from `epoch` on."""
        if epoch == self._length == len(self._buffer):
            return self._buffer
        fork = array("d", self._buffer[: min(epoch, self._length)])
        fork.extend([math.nan] * (epoch - len(fork)))
        return fork

    def sampled(self, columns: int) -> tuple[tuple[float, float], ...]:
        """Summarize the curve for a plot.

        Returns:
            At most `columns` pairs, the lowest and the highest finite loss of consecutive stretches of about
            equal length; (nan, nan) for a stretch without a finite loss.
        """
        # A slice is a copy, so another thread can keep appending.
        values = np.frombuffer(self._buffer[: self._length])
        if not len(values) or columns < 1:
            return ()
        values = np.where(np.isfinite(values), values, np.nan)
        edges = np.linspace(0, len(values), min(columns, len(values)) + 1).astype(int)[:-1]
        low = np.fmin.reduceat(values, edges)
        high = np.fmax.reduceat(values, edges)
        return tuple(zip(low.tolist(), high.tolist(), strict=True))
