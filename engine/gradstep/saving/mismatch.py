"""Describes how a replayed session differs from its file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec import structs

from gradstep.actions import Action
from gradstep.saving.fingerprint import Tensors, loss_of, node_of, numbers_of, outcome_of, this_environment
from gradstep.saving.records import Did, Environment, Number, StoredSummary, StoredValue
from gradstep.training.state import TrainingState

Index = tuple[int | str, ...]

NUMBER: Final = "{name} is {found} here and {recorded} in the file"
NUMBER_APART: Final = "{name} is {found} here and {recorded} in the file, {size:g} apart"
OTHER_TENSORS: Final = "the file has {recorded} and the problem has {found}"
OTHER_EVENT: Final = "event {found} of the pass was the last one here, event {recorded} in the file"
NO_EVENT_HERE: Final = "no event of a pass has run here, event {recorded} was the last one in the file"
NO_EVENT_THERE: Final = "event {found} of a pass was the last one here, no event has run in the file"
OTHER_OUTCOME: Final = "the answer is judged as {found} here, as {recorded} in the file"
ONLY_BITS: Final = "the bits differ, but the numbers in the file do not show it: they are sums, zeros or nans"
REFUSED_HERE: Final = "the action was accepted then and is refused here: {error}"
ACCEPTED_HERE: Final = "the action was refused then and is accepted here: {error}"

AFTER: Final = "action {number:,} (line {line:,}, {action}): {difference}"
AFTER_ELSEWHERE: Final = (
    "action {number:,} (line {line:,}, {action}): {difference}; the file was made with {environment}"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that differs between the replayed session and the file."""

    name: str
    """Name of the tensor or number, e.g. "w", "w.grad", "loss", "epoch"."""

    index: Index
    """Indices in the tensor; ("sum",) or ("norm",) of a summarized tensor; () of a single number."""

    found: Number | None
    """Number in the replayed session; None for no number, e.g. if `.grad` is None."""

    recorded: Number | None
    """Number in the file; None for no number."""

    @property
    def size(self) -> float:
        """Absolute difference; inf if a number is missing or the difference is nan."""
        if self.found is None or self.recorded is None:
            return math.inf
        size = abs(float(self.found) - float(self.recorded))
        return math.inf if math.isnan(size) else size

    def __str__(self) -> str:
        """Return the name, the place and both numbers in one sentence."""
        name = self.name + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}()" for part in self.index
        )
        template = NUMBER_APART if math.isfinite(self.size) else NUMBER
        return template.format(name=name, found=self.found, recorded=self.recorded, size=self.size)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """First action of a replay after which something differs from the file."""

    action: Action
    number: int
    """Number of the action, counted from 1."""

    line: int
    """Line of the action in the file, counted from 1."""

    greatest: Difference | None
    """Number that differs most; None if only the bits differ."""

    message: str
    """Description in one line."""


def compared(
    did: Did, line: int, environment: Environment, tensors: Tensors, state: TrainingState, refused: str
) -> Mismatch:
    """Return the mismatch between an action in a file and its replay, of which at least the bits differ.

    Args:
        did: Action and results in the file.
        line: Line of the action in the file.
        environment: Environment in which the file was written.
        tensors: Parameters, gradients and optimizer state after the replay of the action.
        state: TrainingState after the replay of the action.
        refused: Error that the replay of the action raised, or an empty string.
    """
    greatest = max(_differences(did, tensors, state), key=lambda found: found.size, default=None)
    other = _environment_differs(environment)
    message = (AFTER_ELSEWHERE if other else AFTER).format(
        number=did.number,
        line=line,
        action=_written(did.action),
        difference=_refusals_differ(did, refused) or str(greatest or _untold(did, tensors, state)),
        environment=other,
    )
    return Mismatch(did.action, did.number, line, greatest, " ".join(message.split()))


def _differences(did: Did, tensors: Tensors, state: TrainingState) -> Iterator[Difference]:
    here: Mapping[str, StoredValue] = numbers_of(tensors) | {
        "loss": loss_of(state),
        "epoch": float(state.epoch),
    }
    there: Mapping[str, StoredValue] = did.numbers | {"loss": did.loss, "epoch": float(did.epoch)}
    for name in here.keys() & there.keys():
        found, recorded = dict(_flat(here[name])), dict(_flat(there[name]))
        for index in found.keys() | recorded.keys():
            here_number, there_number = found.get(index), recorded.get(index)
            if here_number != there_number:
                yield Difference(name, index, here_number, there_number)


def _flat(value: Any, index: Index = ()) -> Iterator[tuple[Index, Number | None]]:
    """Yield the numbers of a `StoredValue`, each with its index."""
    match value:
        case list():
            for place, element in enumerate(value):
                yield from _flat(element, (*index, place))
        case StoredSummary(total, norm):
            yield from {("sum",): total, ("norm",): norm}.items()
        case _:
            yield index, value


def _untold(did: Did, tensors: Tensors, state: TrainingState) -> str:
    """Describe a mismatch in which no number differs."""
    if did.numbers.keys() != tensors.keys():
        return OTHER_TENSORS.format(recorded=", ".join(did.numbers), found=", ".join(tensors))
    if did.node != node_of(state):
        return _events_differ(node_of(state), did.node)
    if did.outcome != outcome_of(did.action, state):
        return OTHER_OUTCOME.format(recorded=did.outcome, found=outcome_of(did.action, state))
    return ONLY_BITS


def _events_differ(found: tuple[int, int] | None, recorded: tuple[int, int] | None) -> str:
    """Return that the replay and the file are at different events; None stands for no pass under way."""
    here, there = ("" if node is None else f"{node[0]}/{node[1]}" for node in (found, recorded))
    template = NO_EVENT_HERE if not here else NO_EVENT_THERE if not there else OTHER_EVENT
    return template.format(found=here, recorded=there)


def _refusals_differ(did: Did, refused: str) -> str:
    if refused and not did.refused:
        return REFUSED_HERE.format(error=refused)
    if did.refused and not refused:
        return ACCEPTED_HERE.format(error=did.refused)
    return ""


def _environment_differs(then: Environment) -> str:
    """Return the parts of the file's environment that differ from this one, or an empty string."""
    before, here = structs.asdict(then), structs.asdict(this_environment())
    return ", ".join(
        f"{name} {value} (here {here[name]})" for name, value in before.items() if value != here[name]
    )


def _written(action: Action) -> str:
    return f"{type(action).__name__}({', '.join(map(str, structs.astuple(action)))})"
