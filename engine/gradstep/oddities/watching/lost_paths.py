"""Numbers that go on without their graph: where they lost it, and what they depended on."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from gradstep.oddities.oddity import Cut
from gradstep.oddities.watching.node_walk import Spot
from gradstep.scripts.hidden_leaves import leaves_behind

MOST_CUTS: Final = 5_000
"""Cuts that are noted; later ones are passed over."""

_NOTHING: Final = frozenset[int]()


@dataclass(frozen=True, slots=True)
class LostPath:
    """One operation whose result has no graph, though an operand had one."""

    cut: Cut
    spot: Spot | None
    operation: str
    leaves: frozenset[int]
    """Ids of the leaves that the operand depended on."""

    before: frozenset[int]
    """Numbers of earlier cuts behind the operand."""

    passes: int
    """Passes that had run before."""


class LostPaths:
    """All cuts, and for each live tensor the cuts behind it."""

    def __init__(self) -> None:
        """Begin with none."""
        self.cuts: list[LostPath] = []
        self.escapes: list[LostPath] = []
        """Operations whose results are no tensors, so that nobody can follow them further."""

        self.leaves: dict[int, Tensor] = {}
        """Leaves that were cut off, by id: kept alive, so that no id is used again."""

        self.passes = 0
        """Passes that have run."""

        self._behind: dict[int, tuple[weakref.ref[Tensor], frozenset[int]]] = {}

    def behind(self, tensors: Iterable[Tensor]) -> frozenset[int]:
        """Return the numbers of the cuts behind tensors."""
        if not self._behind:
            return _NOTHING
        found = _NOTHING
        for tensor in tensors:
            known = self._behind.get(id(tensor))
            if known is not None and known[0]() is tensor:
                found |= known[1]
        return found

    def carry(self, results: Iterable[Tensor], cuts: frozenset[int]) -> None:
        """Note that results have cuts behind them."""
        if cuts:
            for result in results:
                self._behind[id(result)] = weakref.ref(result), self.behind((result,)) | cuts

    def cut(self, cut: Cut, spot: Spot | None, operation: str, operands: list[Tensor]) -> frozenset[int]:
        """Note an operation that cuts the paths of its operands; return the cuts behind its result."""
        before = self.behind(operands)
        if len(self.cuts) >= MOST_CUTS:
            return before
        self.cuts.append(self._path(cut, spot, operation, operands, before))
        return before | {len(self.cuts) - 1}

    def escape(self, cut: Cut, spot: Spot | None, operation: str, operands: list[Tensor]) -> None:
        """Note an operation that turns tensors into something else."""
        before = self.behind(operands)
        if (before or any(operand.requires_grad for operand in operands)) and len(self.escapes) < MOST_CUTS:
            self.escapes.append(self._path(cut, spot, operation, operands, before))

    def off(self, cut: LostPath) -> frozenset[int]:
        """Return the ids of the leaves that a cut takes away, with those of the cuts before it."""
        found = set(cut.leaves)
        for number in cut.before:
            found |= self.cuts[number].leaves
        return frozenset(found)

    def _path(
        self, cut: Cut, spot: Spot | None, operation: str, operands: list[Tensor], before: frozenset[int]
    ) -> LostPath:
        leaves: dict[int, Tensor] = {}
        for operand in operands:
            if operand.requires_grad:
                leaves |= leaves_behind(operand)
        self.leaves |= leaves
        return LostPath(cut, spot, operation, frozenset(leaves), before, self.passes)
