"""What tensors take in memory; what several share is counted once."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor


def memory_of(tensors: Iterable[Tensor]) -> dict[int, int]:
    """Give the pieces of memory that tensors lie in: the bytes of each, by its address."""
    pieces: dict[int, int] = {}
    for tensor in tensors:
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # a sparse one has several, or none
            pieces[id(tensor)] = int(tensor.nbytes)
        else:
            pieces[storage.data_ptr()] = storage.nbytes()
    return pieces
