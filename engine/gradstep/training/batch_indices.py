"""Which samples each part of an epoch has, and how the losses of its parts are put together."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gradstep.loop.batches import Split
from gradstep.training.snapshots import Batch


class Feed:
    """Hands out the parts of the samples, epoch by epoch."""

    def __init__(self, split: Split, lines: tuple[str, ...]) -> None:
        """Split samples; `lines` run forward through a part of them, whose places they call `split.index`."""
        self.split = split
        self._lines = lines

    def batch(self, epoch: int, part: int) -> Batch:
        """Give a part of an epoch's samples; both are counted from 0."""
        return Batch(self._lines, self.indices(epoch)[part], self.split.index)

    def indices(self, epoch: int) -> tuple[Tensor, ...]:
        """Give the places of every part's samples in an epoch."""
        return indices(self.split, epoch if self.split.batches.shuffle else 0)

    def weighed(self, loss: Tensor, size: int) -> Tensor:
        """Weigh the loss of a part of `size` samples, as the loop's own line does."""
        factor, divisor = self.split.factor(size), self.split.divisor()
        if factor is not None:
            return loss * factor
        return loss if divisor is None else loss / divisor


@lru_cache(maxsize=8)
def indices(split: Split, epoch: int) -> tuple[Tensor, ...]:
    """Give the places of every part's samples, shapes `(size,)`, as the lines of `Split` draw them."""
    if not split.batches.shuffle:
        order = torch.arange(split.samples)
    else:
        generator = torch.Generator().manual_seed(split.batches.seed + epoch)
        order = torch.randperm(split.samples, generator=generator)
    return torch.split(order, split.batches.size)
