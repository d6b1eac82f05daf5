"""Oddities of graphs that outlive their round, and of tensors that were computed before the loop."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from gradstep.oddities.definitions import definition_of
from gradstep.oddities.oddity import Oddity, Oddness
from gradstep.oddities.watching.diary import Diary, OpenedRound, SeenPass, place
from gradstep.scripts.hidden_leaves import leaves_behind


class KeptGraphs:
    """Looks at what rounds leave behind for the next."""

    def __init__(self, diary: Diary) -> None:
        """Look through a diary."""
        self._diary = diary
        self.explained: set[int] = set()
        """Ids of leaves of which something is said here."""

        self.explains_error = False
        """Whether the exception of a round is a consequence of what is said here."""

    def oddities(self) -> Iterator[Oddity]:
        """Yield what is odd."""
        raised = [seen for seen in self._diary.passes if seen.error is not None]
        failed = raised[-1] if raised and self._diary.error is not None else None  # else it was handled
        said = list(self._from_before()) + list(self._without_grad())
        names = {name for oddity in said for name in oddity.names}
        yield from said
        if failed is not None and (failed.shares or failed.inherits):
            self.explains_error = True
            left = [name for name in failed.carried if name not in names]
            if failed.shares is not None:
                other = place(_spot(failed.shares))
                yield Oddity(Oddness.BACKWARD_TWICE, place(_spot(failed)), other=other)
            elif left or not failed.carried:
                yield self._kept(Oddness.KEPT, failed, left)
        elif failed is None:
            yield from self._growing(names)
        for name, growth in self._diary.growths.items():
            if growth.rounds >= 2 and growth.last >= self._diary.complete:
                yield Oddity(Oddness.KEEPS_GRAPHS, place(growth.spot), (name,))

    def _from_before(self) -> Iterator[Oddity]:
        """Yield tensors that were computed before the loop from tensors that require grad."""
        first, second = (start.made for start in self._two_starts)
        same = {name: tensor for name, tensor in first.items() if second.get(name) is tensor}
        carried = dict.fromkeys(name for seen in self._diary.passes for name in seen.carried)
        read = {id(tensor) for tensor, _ in self._diary.without_grad}
        carried |= dict.fromkeys(name for name, tensor in same.items() if id(tensor) in read)
        told = set[int]()
        for name in carried:
            if name not in same or id(same[name]) in told:
                continue
            told.add(id(same[name]))
            leaves = leaves_behind(same[name])
            kind = self._kind(name, same[name], list(leaves.values()))
            if kind is not None:
                self.explained |= leaves.keys()
                self.explains_error = True
                behind = tuple(n for n in map(self._name, leaves.values()) if n)
                yield Oddity(kind, definition_of(self._diary, name), (name, *behind))

    @property
    def _two_starts(self) -> list[OpenedRound]:
        rounds = self._diary.rounds
        return rounds[:2] if len(rounds) > 1 else [rounds[0], rounds[0]]

    def _kind(self, name: str, tensor: Tensor, leaves: list[Tensor]) -> Oddness | None:
        if any(read is tensor for read, _ in self._diary.without_grad):
            return Oddness.NOT_A_LEAF
        if len(self._diary.rounds) < 2:
            return None
        if any(name in seen.compared for seen in self._diary.passes):
            return Oddness.TARGETS_WITH_GRAPH
        if not all(map(self._name, leaves)):
            return Oddness.NOT_A_LEAF
        is_stale = any(id(leaf) in self._diary.changed for leaf in leaves)
        return Oddness.COMPUTED_ONCE if is_stale and self._is_inherited else None

    @property
    def _is_inherited(self) -> bool:
        return any(seen.inherits for seen in self._diary.passes)

    def _name(self, leaf: Tensor) -> str:
        return next((n for start in self._diary.rounds if (n := start.names.name_of(leaf))), "")

    def _without_grad(self) -> Iterator[Oddity]:
        """Yield tensors that were computed in the loop and whose `.grad` the script looks at."""
        before = {id(tensor) for tensor in self._diary.rounds[0].made.values()}
        told = set[str]()
        for tensor, spot in self._diary.without_grad:
            name = self._name(tensor)
            if id(tensor) in before or not name or name in told:
                continue
            told.add(name)
            self.explains_error |= self._diary.error is not None
            made = None if tensor.grad_fn is None else self._diary.made.get(tensor.grad_fn)
            yield Oddity(Oddness.NOT_A_LEAF, place(made or spot), (name,), other=place(spot))

    def _growing(self, told: set[str]) -> Iterator[Oddity]:
        inherits = [seen for seen in self._diary.passes if seen.inherits]
        if len(inherits) >= 2 and inherits[-1].size > inherits[0].size:
            left = [name for name in inherits[-1].carried if name not in told]
            if left:
                yield self._kept(Oddness.GRAPH_GROWS, inherits[-1], left)

    def _kept(self, kind: Oddness, seen: SeenPass, names: list[str]) -> Oddity:
        made = self._diary.rounds[seen.round - 1].made
        node = made[names[0]].grad_fn if names else None
        spot = None if node is None else self._diary.made.get(node)
        where = place(spot) if spot else definition_of(self._diary, names[0]) if names else None
        return Oddity(kind, where or place(_spot(seen)), tuple(names), other=place(_spot(seen)))


def _spot(seen: SeenPass) -> tuple[str, int] | None:
    return seen.spots[0] if seen.spots else None
