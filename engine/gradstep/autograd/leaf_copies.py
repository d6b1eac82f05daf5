"""Copies of leaves that there are already, so that a recording need not make them once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from torch import Tensor

from gradstep.tensors.bitwise import is_copy
from gradstep.tensors.memory import bytes_of
from gradstep.tensors.placeholders import Budget, stand_in

WORTH_COMPARING: Final = 1 << 16
"""Bytes from which on it is quicker to find out that there is a copy already than to make one."""


class Known(NamedTuple):
    """Copies of a leaf, which nothing changes."""

    leaf: Tensor
    value: Tensor
    grad: Tensor | None


KnownLeaves = Mapping[int, Known]
"""By `id` of a leaf."""


class SavedCopies:
    """Copies saved tensors; of one that is a leaf, or a view of one, there is a copy already."""

    def __init__(self, known: KnownLeaves, budget: Budget) -> None:
        """Look for these leaves; `budget` says how much may be copied."""
        self._budget = budget
        self._by_place = {
            one.leaf.data_ptr(): one for one in known.values() if one.value.nbytes >= WORTH_COMPARING
        }
        self._same: dict[int, bool] = {}

    def of(self, tensor: Tensor) -> Tensor:
        """Give a copy that nothing changes."""
        known = self._known(tensor)
        if known is not None and bytes_of(tensor) <= known.value.nbytes and tensor.dtype is known.value.dtype:
            return known.value.as_strided(tensor.shape, tensor.stride())
        return tensor.detach().clone() if self._budget.has(tensor) else stand_in(tensor)

    def _known(self, tensor: Tensor) -> Known | None:
        if bytes_of(tensor) < WORTH_COMPARING or not self._by_place:
            return None
        try:
            place = tensor.data_ptr()
        except RuntimeError:  # it has no memory of its own
            return None
        known = self._by_place.get(place)
        if known is None:
            return None
        if place not in self._same:
            self._same[place] = is_copy(known.leaf.detach(), known.value)
        return known if self._same[place] else None
