"""Placeholders for tensors that are not kept: the shape, on the device `meta`, and a summary of the numbers.

Code that asks only for shapes works on a placeholder as on a tensor. There are no numbers to read or to
compute with.
"""

from __future__ import annotations

from typing import Final, TypeGuard

import torch
from torch import Tensor

from gradstep.tensors.summary import keep_summary, summarize, summary_of

SMALL: Final = 4_096
"""Size in bytes up to which a tensor is always copied."""

_STRIDED: Final = torch.strided


def plain_numbers(tensor: Tensor) -> Tensor:
    """Return a tensor, or the numbers of a nested tensor: one part after the other, without padding.

    A nested tensor has no sizes that could be shown, compared or added up.
    """
    return tensor.detach().contiguous().values() if tensor.is_nested else tensor


def placeholder_for(tensor: Tensor) -> Tensor:
    """Return a placeholder with the tensor's shape, strides and dtype, and with a summary of its numbers."""
    made = torch.empty_strided(tuple(tensor.shape), tensor.stride(), dtype=tensor.dtype, device="meta")
    keep_summary(made, summarize(tensor))
    return made


def is_placeholder(value: object) -> TypeGuard[Tensor]:
    """Return whether a value is a tensor without numbers."""
    return isinstance(value, Tensor) and value.is_meta


def is_summary_of(placeholder: Tensor, tensor: Tensor) -> bool:
    """Return whether a tensor's summary equals that of a placeholder."""
    return summary_of(placeholder) == summary_of(tensor)


class Budget:
    """Number of bytes that the copies of one recording may take; tensors beyond it are summarized."""

    def __init__(self, limit: int) -> None:
        """Start with nothing spent of `limit` bytes."""
        self._left = limit
        self.summarized = 0
        """Number of tensors that did not fit, and so have only a summary."""

    def has(self, tensor: Tensor) -> bool:
        """Return whether a tensor may be copied, and take its bytes off; small tensors cost nothing.

        Once a tensor did not fit, no further one fits.
        """
        if tensor.layout is not _STRIDED or tensor.nbytes <= SMALL:
            return True
        self._left -= tensor.nbytes
        if self._left >= 0:
            return True
        self.summarized += 1
        return False
