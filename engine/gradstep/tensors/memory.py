"""What tensors take in memory; what several share is counted once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def bytes_of(tensor: Tensor) -> int:
    """Give the bytes of a tensor's numbers; 0 for a sparse one, and where there are none."""
    if tensor.is_meta or tensor.layout != torch.strided:
        return 0
    return int(tensor.nbytes)


def memory_of(tensors: Iterable[Tensor]) -> dict[int, int]:
    """Give the pieces of memory that tensors lie in: the bytes of each, by its address."""
    pieces: dict[int, int] = {}
    for tensor in tensors:
        if tensor.is_meta:
            continue
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # a sparse one has several, or none
            pieces[id(tensor)] = bytes_of(tensor)
        else:
            pieces[storage.data_ptr()] = storage.nbytes()
    return pieces
