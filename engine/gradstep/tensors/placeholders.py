"""What stands for a tensor that is not kept: its shape, on the device `meta`, and the summary of its numbers.

Whatever asks for shapes only goes on working. There are no numbers to read, and nothing computes with them.
"""

from __future__ import annotations

from typing import Final, TypeGuard

import torch
from torch import Tensor

from gradstep.tensors.summary import keep_summary, summarized, summary_of


def stand_in(tensor: Tensor) -> Tensor:
    """Summarize a tensor; give what stands for it."""
    made = torch.empty_strided(tuple(tensor.shape), tensor.stride(), dtype=tensor.dtype, device="meta")
    keep_summary(made, summarized(tensor))
    return made


def is_stand_in(value: object) -> TypeGuard[Tensor]:
    """Whether there are no numbers behind it."""
    return isinstance(value, Tensor) and value.is_meta


_STRIDED: Final = torch.strided
SMALL: Final = 4_096
"""Bytes of tensors that are kept in any case."""


def is_summary_of(stand: Tensor, tensor: Tensor) -> bool:
    """Whether a tensor has the summary that something stands for."""
    return summary_of(stand) == summary_of(tensor)


class Budget:
    """Bytes that the copies of one recording may take; what goes beyond is summarized."""

    def __init__(self, limit: int) -> None:
        """Begin with nothing spent."""
        self._left = limit
        self.summarized = 0
        """How many tensors were only summarized."""

    def has(self, tensor: Tensor) -> bool:
        """Take a tensor's bytes off; False where they are no longer there, from which on none are."""
        if tensor.layout is not _STRIDED or tensor.nbytes <= SMALL:
            return True
        self._left -= tensor.nbytes
        if self._left >= 0:
            return True
        self.summarized += 1
        return False
