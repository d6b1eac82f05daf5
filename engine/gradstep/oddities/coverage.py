"""Oddities of parameters: not held by an optimizer, frozen, without a gradient, hidden in a plain list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from torch import nn

from gradstep.oddities.definitions import definition_of
from gradstep.oddities.oddity import Cut, Oddity, Oddness
from gradstep.oddities.watching.diary import Diary, SeenStep, SeenWrite, place
from gradstep.oddities.watching.lost_paths import LostPath
from gradstep.oddities.watching.object_names import parameters_of, plain_containers

LONG: Final = 40
"""Rounds after which an optimizer that has not stepped never does."""


class Coverage:
    """Compares what passes reach with what steps change."""

    def __init__(self, diary: Diary, explained: frozenset[int]) -> None:
        """Compare.

        Args:
            diary: What was seen.
            explained: Ids of leaves of which something else is said already.
        """
        self._diary = diary
        self._explained = explained
        self._reached = {key for seen in diary.passes for key in seen.reached}
        self._stepped = {id(step.optimizer): step for step in diary.steps}
        self._held = {key for step in diary.steps for key in step.held}
        for start in diary.rounds:
            for optimizer in start.names.optimizers.values():
                self._held |= {id(parameter) for parameter in parameters_of(optimizer)}

    def oddities(self) -> Iterator[Oddity]:
        """Yield what is odd about the parameters."""
        hidden = self._not_held()
        yield from self._of_containers(hidden)
        yield from self._of_targets(hidden)
        if hidden:
            step = next(self._diary.updates, None)
            holder = self._diary.name_of(step.optimizer) if isinstance(step, SeenStep) else ""
            spot = None if step is None else step.spot
            yield Oddity(Oddness.NOT_HELD, place(spot), self._diary.names_of(hidden), holder=holder)
        yield from self._without_gradient(bool(hidden))
        yield from self._rounded()
        yield from self._frozen()
        yield from self._never_stepped()

    def _not_held(self) -> set[int]:
        """Return the ids of leaves that passes reach in several rounds and that nothing updates."""
        diary = self._diary
        updated = (
            self._held | diary.changed | {e.parameter for e in diary.entries if isinstance(e, SeenWrite)}
        )
        if not any(True for _ in diary.updates) and not diary.changed:
            return set()
        rounds: dict[int, set[int]] = defaultdict(set)
        for seen in diary.passes:
            for key in seen.reached:
                rounds[key].add(seen.round)
        plain = any(not isinstance(diary.known[key], nn.Parameter) for key in self._reached & updated)
        enough = min(2, len({seen.round for seen in diary.passes}))
        return {
            key
            for key, seen_in in rounds.items()
            if len(seen_in) >= enough
            and key not in updated
            and key not in diary.inputs
            and key not in self._explained
            and (plain or isinstance(diary.known[key], nn.Parameter))
        }

    def _of_containers(self, hidden: set[int]) -> Iterator[Oddity]:
        """Yield plain containers that hide parameters, and take these out of `hidden`."""
        for holder, root, tensors in plain_containers(self._diary.rounds[-1].names.modules):
            own = {id(parameter) for parameter in root.parameters() if parameter.requires_grad}
            found = {id(tensor) for tensor in tensors} & hidden - own
            if found:
                hidden -= found
                yield Oddity(
                    Oddness.PLAIN_CONTAINER,
                    definition_of(self._diary, holder),
                    self._diary.names_of(found),
                    holder=holder,
                    count=len(found),
                    total=len(own) + len(found),
                )

    def _of_targets(self, hidden: set[int]) -> Iterator[Oddity]:
        """Yield targets that depend on leaves in `hidden` only, and take these out of it."""
        for seen in self._diary.passes:
            for comparison in seen.facts.comparisons:
                for predictions, targets in (comparison, comparison[::-1]):
                    if targets.leaves and targets.leaves <= hidden and predictions.leaves - hidden:
                        hidden -= targets.leaves
                        names = "", *self._diary.names_of(targets.leaves)
                        yield Oddity(Oddness.TARGETS_WITH_GRAPH, place(targets.spot), names)

    def _without_gradient(self, others_not_held: bool) -> Iterator[Oddity]:
        missing = self._missing()
        self._diary.known |= {key: leaf for key, leaf in self._diary.paths.leaves.items() if key in missing}
        order = {key: number for number, key in enumerate(self._diary.known)}
        by_cut: dict[LostPath, set[int]] = defaultdict(set)
        for key in sorted(missing, key=order.__getitem__):
            cut = self._cut_of(key)
            if cut is not None:
                by_cut[cut].add(key)
        merged: dict[tuple[object, ...], tuple[LostPath, set[int]]] = {}
        for cut, keys in by_cut.items():
            known = merged.setdefault(
                (cut.cut, cut.spot, cut.cut is Cut.NO_GRAD or cut.operation), (cut, set())
            )
            known[1].update(keys)
        for cut, keys in merged.values():
            names = self._diary.names_of(keys)
            yield Oddity(Oddness.CUT, place(cut.spot), names, cut=cut.cut, operation=cut.operation)
        unused = missing - {key for keys in by_cut.values() for key in keys} - self._explained
        for step in self._stepped.values():
            left = step.held & unused
            nothing = not step.held & self._reached
            if left and not (nothing and others_not_held):
                holder = self._diary.name_of(step.optimizer)
                yield Oddity(Oddness.UNUSED, place(step.spot), self._diary.names_of(left), holder=holder)

    def _missing(self) -> set[int]:
        """Return the ids of parameters that should get a gradient, and that no pass reaches."""
        diary = self._diary
        wanted = {key for step in self._stepped.values() for key in step.held}
        if diary.error is not None and not self._stepped:
            wanted |= {id(leaf) for start in diary.rounds for leaf in start.names.leaves}
        missing = {key for key in wanted - self._reached if diary.known[key].requires_grad}
        for seen in diary.passes:
            if seen.error is not None and not seen.reached:
                missing |= {key for number in seen.lost for key in diary.paths.cuts[number].leaves}
        return missing

    def _cut_of(self, key: int) -> LostPath | None:
        paths = self._diary.paths
        behind = sorted({number for seen in self._diary.passes for number in seen.lost})
        traced = next((paths.cuts[number] for number in behind if key in paths.cuts[number].leaves), None)
        escapes = (
            found
            for found in reversed(paths.escapes)
            if key in paths.off(found) and found.passes < paths.passes
        )
        others = (
            found
            for found in reversed(paths.cuts)
            if key in found.leaves and found.passes < paths.passes and found.cut is not Cut.INTEGER
        )
        return traced or next(escapes, None) or next(others, None)

    def _rounded(self) -> Iterator[Oddity]:
        """Yield functions that are constant between jumps, if they make all gradients behind them zero."""
        alive = {key for seen in self._diary.passes for key in seen.reached - seen.zero}
        told = set[object]()
        for seen in self._diary.passes:
            for spot, operation, leaves in seen.facts.steps:
                dead = leaves & seen.reached - alive
                if dead and (spot, operation) not in told:
                    told.add((spot, operation))
                    names = self._diary.names_of(dead)
                    yield Oddity(Oddness.CUT, place(spot), names, cut=Cut.ROUND, operation=operation)

    def _frozen(self) -> Iterator[Oddity]:
        for name, root in self._diary.rounds[-1].names.modules.items():
            own = [id(parameter) for parameter in root.parameters()]
            frozen = [key for key in own if key in self._diary.frozen]
            if frozen:
                names = tuple(self._diary.name_of(self._diary.frozen[key][0]) for key in frozen)
                spot = self._diary.frozen[frozen[0]][1]
                yield Oddity(
                    Oddness.FROZEN,
                    place(spot),
                    names,
                    holder=name,
                    count=len(frozen),
                    total=len(own),
                    is_note=True,
                )

    def _never_stepped(self) -> Iterator[Oddity]:
        diary = self._diary
        if diary.error or diary.complete < 2 or not (diary.over or diary.complete >= LONG):
            return
        if any(True for _ in diary.updates) or diary.changed & self._reached:
            return
        last = list(diary.passes)[-1:]
        for name, optimizer in diary.rounds[-1].names.optimizers.items():
            if last and last[0].spots and {id(p) for p in parameters_of(optimizer)} & self._reached:
                yield Oddity(Oddness.NEVER_STEPS, place(last[0].spots[0]), holder=name)
