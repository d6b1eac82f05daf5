"""Says how a replayed session differs from what its file says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from gradstep.actions import Action
from gradstep.saving.fingerprint import Tensors, loss_of, node_of, numbers_of, this_environment
from gradstep.saving.records import Did, Environment, Number, StoredSummary, StoredValue
from gradstep.training.state import State

Index = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is not as the file has it."""

    name: str
    """E.g. "w", "w.grad", "loss", "epoch"."""

    index: Index
    """Where in the tensor; ("sum",) or ("norm",) of one that the file only summarizes; () for one number."""

    found: Number | None
    """Here; None where there is none, as for a `.grad` that is None."""

    recorded: Number | None
    """In the file."""

    @property
    def size(self) -> float:
        """How far both are apart; inf where one is none, or is inf or nan."""
        if self.found is None or self.recorded is None:
            return math.inf
        size = abs(float(self.found) - float(self.recorded))
        return math.inf if math.isnan(size) else size

    def __str__(self) -> str:
        """Say what, where, and by how much."""
        where = self.name + "".join(f"[{one}]" if isinstance(one, int) else f", {one}" for one in self.index)
        apart = f", {self.size:g} apart" if math.isfinite(self.size) else ""
        return f"{where} is {self.found} here and {self.recorded} in the file{apart}"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first point of a replay that is not as the file says."""

    action: Action
    number: int
    """The action's, counted from 1."""

    line: int
    """The action's in the file."""

    greatest: Difference | None
    """The number that differs most; None where no number tells the difference."""

    message: str
    """All that in one line."""


def compared(
    did: Did, line: int, environment: Environment, tensors: Tensors, state: State, refused: str
) -> Mismatch:
    """Find what differs, where it is known that something does.

    Args:
        did: What the file says.
        line: Its line.
        environment: Where it was done.
        tensors: The parameters and gradients now.
        state: The state now.
        refused: Why the action was refused now; empty where it was not.
    """
    greatest = max(_differences(did, tensors, state), key=lambda one: one.size, default=None)
    what = _refusals_differ(did, refused) or str(greatest or _untold(did, tensors, state))
    message = f"action {did.number:,} (line {line:,}, {_written(did.action)}): {what}"
    if other := _environment_differs(environment):
        message += f"; the file was made with {other}"
    return Mismatch(did.action, did.number, line, greatest, " ".join(message.split()))


def _differences(did: Did, tensors: Tensors, state: State) -> Iterator[Difference]:
    here: Mapping[str, StoredValue] = numbers_of(tensors) | {
        "loss": loss_of(state),
        "epoch": float(state.epoch),
    }
    there: Mapping[str, StoredValue] = did.numbers | {"loss": did.loss, "epoch": float(did.epoch)}
    for name in here.keys() & there.keys():
        found, recorded = dict(_flat(here[name])), dict(_flat(there[name]))
        for index in found.keys() | recorded.keys():
            one, other = found.get(index), recorded.get(index)
            if one != other:
                yield Difference(name, index, one, other)


def _flat(value: Any, index: Index = ()) -> Iterator[tuple[Index, Number | None]]:
    """Give the numbers of a `StoredValue`, each with its place."""
    match value:
        case list():
            for place, one in enumerate(value):
                yield from _flat(one, (*index, place))
        case StoredSummary(total, norm):
            yield from {("sum",): total, ("norm",): norm}.items()
        case _:
            yield index, value


def _untold(did: Did, tensors: Tensors, state: State) -> str:
    """Say what differs where no number does."""
    if did.numbers.keys() != tensors.keys():
        return f"the file has {', '.join(did.numbers)} and the problem {', '.join(tensors)}"
    if did.node != node_of(state):
        return f"inside the pass, {_place(node_of(state))} here and {_place(did.node)} in the file"
    return "other bits than in the file, which has these numbers only in sum, or they are zeros or nans"


def _place(node: tuple[int, int] | None) -> str:
    return "no event" if node is None else f"event {node[0]} of {node[1]}"


def _refusals_differ(did: Did, refused: str) -> str:
    if refused and not did.refused:
        return f"it was done then, and is refused here: {refused}"
    if did.refused and not refused:
        return f"it was refused then, and is done here: {did.refused}"
    return ""


def _environment_differs(then: Environment) -> str:
    """Name what the session ran on where this program runs on something else."""
    before, here = structs.asdict(then), structs.asdict(this_environment())
    return ", ".join(
        f"{name} {value} (here {here[name]})" for name, value in before.items() if value != here[name]
    )


def _written(action: Action) -> str:
    return f"{type(action).__name__}({', '.join(map(str, structs.astuple(action)))})"
