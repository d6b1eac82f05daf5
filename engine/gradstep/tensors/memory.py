"""Memory that tensors take; memory that several of them share is counted once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def bytes_of(tensor: Tensor) -> int:
    """Return the size of a tensor's numbers in bytes; 0 for a sparse tensor or one without numbers."""
    if tensor.is_meta or tensor.layout != torch.strided:
        return 0
    return int(tensor.nbytes)


def memory_of(tensors: Iterable[Tensor]) -> dict[int, int]:
    """Return the size in bytes of each piece of memory that some tensors lie in, by its address."""
    pieces: dict[int, int] = {}
    for tensor in tensors:
        if tensor.is_meta:
            continue
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # a sparse tensor has several storages, or none
            pieces[id(tensor)] = bytes_of(tensor)
        else:
            pieces[storage.data_ptr()] = storage.nbytes()
    return pieces
