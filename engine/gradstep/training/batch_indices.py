"""Samples of each part of an epoch, and the weight of each part's loss."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gradstep.loop.batches import Split
from gradstep.training.snapshots import Batch


class Feed:
    """Parts of the samples, in the order of each epoch."""

    def __init__(self, split: Split, lines: tuple[str, ...]) -> None:
        """Take the forward lines of the loop; their name for the part's indices is `split.index`."""
        self.split = split
        self._lines = lines

    def batch(self, epoch: int, part: int) -> Batch:
        """Return a part of an epoch's samples; parts and epochs are counted from 0."""
        return Batch(self._lines, self.indices(epoch)[part], self.split.index)

    def indices(self, epoch: int) -> tuple[Tensor, ...]:
        """Return the indices of every part's samples in an epoch, counted from 0."""
        return indices(self.split, epoch if self.split.batches.shuffle else 0)

    def weighed(self, loss: Tensor, size: int) -> Tensor:
        """Return the loss of a part of `size` samples, weighted as in the loop's line."""
        factor, divisor = self.split.factor(size), self.split.divisor()
        if factor is not None:
            return loss * factor
        return loss if divisor is None else loss / divisor


@lru_cache(maxsize=8)
def indices(split: Split, epoch: int) -> tuple[Tensor, ...]:
    """Return the indices of every part's samples, shapes `(size,)`, as the lines of `Split` draw them."""
    if not split.batches.shuffle:
        order = torch.arange(split.samples)
    else:
        generator = torch.Generator().manual_seed(split.batches.seed + epoch)
        order = torch.randperm(split.samples, generator=generator)
    return torch.split(order, split.batches.size)
