"""Equality of tensors, bit for bit."""

from __future__ import annotations

import torch
from torch import Tensor


def same_bits(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two dense tensors are the same, bit for bit: nan equals the same nan, 0.0 is not -0.0."""
    if one is other:
        return True
    if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(raw(one), raw(other))


def raw(tensor: Tensor) -> Tensor:
    """Give a dense tensor's bytes, shape (bytes,)."""
    return tensor.contiguous().flatten().view(torch.uint8)
