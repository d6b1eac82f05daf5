"""Copies of leaves that exist before a recording, so that the recording need not make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from torch import Tensor

from gradstep.tensors.bitwise import is_copy
from gradstep.tensors.memory import bytes_of
from gradstep.tensors.placeholders import Budget, placeholder_for, plain_numbers

WORTH_COMPARING: Final = 1 << 16
"""Size in bytes from which comparing a tensor with an existing copy is faster than copying it."""


class LeafCopy(NamedTuple):
    """A leaf, and copies of its numbers that are never changed."""

    leaf: Tensor
    value: Tensor
    """Copy of the leaf, of the same shape."""

    grad: Tensor | None
    """Copy of the leaf's `.grad`; None if the leaf has none."""


LeafCopies: TypeAlias = Mapping[int, LeafCopy]
"""Existing copies of leaves, by the `id` of the leaf."""


class SavedCopies:
    """Copies the tensors that nodes saved, and shares the existing copy of a leaf or a view of a leaf."""

    def __init__(self, known: LeafCopies, budget: Budget) -> None:
        """Look for the leaves `known`; whatever exceeds `budget` is summarized."""
        self._budget = budget
        self._by_address = {
            copy.leaf.data_ptr(): copy for copy in known.values() if copy.value.nbytes >= WORTH_COMPARING
        }
        self._unchanged: dict[int, bool] = {}
        """Whether a leaf still has the numbers of its copy, by the leaf's address."""

    def of(self, tensor: Tensor) -> Tensor:
        """Return a copy of a saved tensor, of its shape and strides, or a placeholder without numbers."""
        tensor = plain_numbers(tensor)
        known = self._copy_at(tensor)
        if known is not None and bytes_of(tensor) <= known.value.nbytes and tensor.dtype is known.value.dtype:
            return known.value.as_strided(tensor.shape, tensor.stride())
        return tensor.detach().clone() if self._budget.has(tensor) else placeholder_for(tensor)

    def _copy_at(self, tensor: Tensor) -> LeafCopy | None:
        """Return the copy of the leaf that begins at the same address, if the leaf is unchanged."""
        if bytes_of(tensor) < WORTH_COMPARING or not self._by_address:
            return None
        try:
            address = tensor.data_ptr()
        except RuntimeError:  # the tensor has no memory of its own
            return None
        known = self._by_address.get(address)
        if known is None:
            return None
        if address not in self._unchanged:
            self._unchanged[address] = is_copy(known.leaf.detach(), known.value)
        return known if self._unchanged[address] else None
