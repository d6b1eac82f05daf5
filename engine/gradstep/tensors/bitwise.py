"""Equality of tensors: bit for bit, and number for number."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_INTEGERS: Final = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Integer type of each element size in bytes; integers compare several times as fast as single bytes."""


def same_bits(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two dense tensors have the same shape, dtype and bits.

    A nan equals the same nan, and 0.0 does not equal -0.0. None equals None. A tensor without numbers (on the
    device `meta`) equals only itself.
    """
    if first is second:
        return True
    if (
        first is None
        or second is None
        or first.is_meta
        or second.is_meta
        or first.shape != second.shape
        or first.dtype != second.dtype
    ):
        return False
    integer = _INTEGERS.get(first.element_size(), torch.uint8)
    return torch.equal(
        first.contiguous().flatten().view(integer), second.contiguous().flatten().view(integer)
    )


def differing(first: Tensor, second: Tensor) -> Tensor:
    """Return a boolean tensor that is True at each element whose numbers differ.

    One nan counts as equal to any other nan, and -0.0 as equal to 0.0.
    """
    return (first != second) & ~(first.isnan() & second.isnan())


def shared_copy(tensor: Tensor, *copies: Tensor | None) -> Tensor:
    """Return the first of some existing copies that still has the tensor's bits and strides, or a new copy.

    Comparing takes a fraction of the time of allocating memory. Version counters cannot replace it: a write
    through `.data` does not change them.

    Args:
        tensor: The tensor to copy; the result has no graph.
        copies: Earlier copies, which are never changed; None is ignored.
    """
    tensor = tensor.detach()
    same = (copy for copy in copies if copy is not None and is_copy(copy, tensor))
    found = next(same, None)
    return tensor.clone() if found is None else found


def is_copy(first: Tensor, second: Tensor) -> bool:
    """Return whether two tensors have the same bits and strides; False if one of them is sparse."""
    if first.layout != torch.strided or second.layout != torch.strided:
        return False
    return first.stride() == second.stride() and same_bits(first, second)


def raw(tensor: Tensor) -> Tensor:
    """Return the bytes of a dense tensor's numbers, as uint8, shape `(bytes,)`."""
    return tensor.contiguous().flatten().view(torch.uint8)
