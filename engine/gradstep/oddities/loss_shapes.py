"""Oddities of loss functions and of units, read from the graphs of the passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torch import Tensor, nn

from gradstep.oddities.oddity import Oddity, Oddness
from gradstep.oddities.watching.diary import Diary, SeenPass, place
from gradstep.oddities.watching.node_walk import Spot
from gradstep.oddities.watching.relu_reading import Relu

ENOUGH: Final = 16
"""Numbers that have to be zero, in all rounds together, before a relu counts as dead."""

ENOUGH_SAMPLES: Final = 32
"""Samples, in all rounds together, for which a single unit has to be zero if they are not the same ones."""


def loss_oddities(diary: Diary) -> Iterator[Oddity]:
    """Yield what is odd about the loss functions."""
    told = set[object]()
    for seen in diary.passes:
        for found in seen.facts.squashed:
            if (found.spot, found.loss_spot) not in told:
                told.add((found.spot, found.loss_spot))
                kind = Oddness.PROBABILITIES_AS_LOGS if found.takes_logs else Oddness.SOFTMAX_TWICE
                other = place(found.loss_spot)
                yield Oddity(kind, place(found.spot), other=other, operation=found.name, holder=found.own)
        for broadcast in seen.broadcasts:
            if broadcast.spot not in told:
                told.add(broadcast.spot)
                shapes = broadcast.first, broadcast.second
                yield Oddity(Oddness.BROADCAST, place(broadcast.spot), shapes=shapes)


def unit_oddities(diary: Diary) -> Iterator[Oddity]:
    """Yield relus whose units are zero for all samples."""
    layers: dict[tuple[tuple[Spot, ...], int], list[Relu]] = {}
    for seen in diary.passes:
        for number, relu in enumerate(seen.facts.relus):
            layers.setdefault((seen.spots, number), []).append(relu)
    is_same_data = same_data(diary)
    for (spots, number), relus in layers.items():
        found = _dead(diary, relus, is_same_data)
        if found is not None and _is_in_all(diary, spots, number):
            yield found


def _dead(diary: Diary, relus: list[Relu], is_same_data: bool) -> Oddity | None:
    if is_same_data:
        relus = relus[-2:]  # what has died stays dead
    alive = relus[0].alive
    for relu in relus[1:]:
        if relu.alive.shape != alive.shape:
            return None
        alive = alive | relu.alive
    count, total = int((~alive).sum()), alive.numel()
    samples = relus[-1].samples if is_same_data else sum(relu.samples for relu in relus)
    is_certain = is_same_data and relus[-1].is_unit_wise
    if not count or count * 8 < total:
        return None
    if count == total:
        if not is_certain and samples * total < ENOUGH:
            return None
    elif not is_certain and samples < ENOUGH_SAMPLES:
        return None
    last = relus[-1]
    names = () if last.leaf is None else (_layer_of(diary, last.leaf),)
    units = (count, total) if last.is_unit_wise else (1, 1)
    return Oddity(
        Oddness.DEAD_UNITS,
        place(last.spot),
        names,
        count=units[0],
        total=units[1],
        is_note=count * 2 < total,
    )


def _layer_of(diary: Diary, leaf: Tensor) -> str:
    """Return the name of the module that a leaf is a parameter of, or of the leaf."""
    name = diary.name_of(leaf)
    return name.rpartition(".")[0] or name if isinstance(leaf, nn.Parameter) else name


def _is_in_all(diary: Diary, spots: tuple[Spot, ...], number: int) -> bool:
    passes: list[SeenPass] = [seen for seen in diary.passes if seen.spots == spots]
    return all(len(seen.facts.relus) > number for seen in passes)


def same_data(diary: Diary) -> bool:
    """Return whether all rounds were fed the same tensors, as far as can be seen."""
    fed = [each for each in diary.fed[: diary.complete] if each]
    return len(fed) > 1 and all(each == fed[0] for each in fed)
