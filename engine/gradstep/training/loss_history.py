"""The loss of every epoch: a long list that frames share."""

from __future__ import annotations

import math
from array import array

import numpy as np


class Losses:
    """The losses of the first epochs; immutable, though many of them may share one growing buffer."""

    __slots__ = ("_buffer", "_length")

    def __init__(self, buffer: array[float] | None = None, length: int = 0) -> None:
        """Show the first `length` numbers of `buffer`; without arguments, none."""
        self._buffer = array("d") if buffer is None else buffer
        self._length = length

    def __len__(self) -> int:
        """Give the number of epochs."""
        return self._length

    def __getitem__(self, epoch: int) -> float:
        """Give the loss of an epoch, counted from 0; nan where it computed none."""
        if not 0 <= epoch < self._length:
            raise IndexError(epoch)
        return self._buffer[epoch]

    def with_loss(self, epoch: int, value: float) -> Losses:
        """Give these losses, up to `epoch`, and then `value` for it; epochs between have none (nan)."""
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
        """Give a copy of the first `count` numbers."""
        return self._buffer[: min(count, self._length)]

    def grown(self) -> Losses:
        """Show all that the shared buffer holds by now; another thread may still be adding to it."""
        return Losses(self._buffer, len(self._buffer))

    def open_end(self, epoch: int) -> array[float]:
        """Give the buffer that a run may append to, from `epoch` on."""
        if epoch == self._length == len(self._buffer):
            return self._buffer
        fork = array("d", self._buffer[: min(epoch, self._length)])
        fork.extend([math.nan] * (epoch - len(fork)))
        return fork

    def sampled(self, columns: int) -> tuple[tuple[float, float], ...]:
        """Summarize the curve for a plot.

        Returns:
            At most `columns` pairs: lowest and highest finite loss of consecutive stretches of about equal
            length; the pair is (nan, nan) where a stretch holds no finite loss.
        """
        # A slice copies, so the other thread may go on appending.
        values = np.frombuffer(self._buffer[: self._length])
        if not len(values) or columns < 1:
            return ()
        values = np.where(np.isfinite(values), values, np.nan)
        edges = np.linspace(0, len(values), min(columns, len(values)) + 1).astype(int)[:-1]
        low = np.fmin.reduceat(values, edges)
        high = np.fmax.reduceat(values, edges)
        return tuple(zip(low.tolist(), high.tolist(), strict=True))
