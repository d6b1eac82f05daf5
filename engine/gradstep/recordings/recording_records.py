"""A recording as structs, which msgspec writes as JSON and validates when it reads them."""

from __future__ import annotations

from msgspec import Struct
from torch import Tensor

from gradstep.recordings.event_records import (
    MaybeIndex,
    StoredEvent,
    StoredNode,
    TensorIndex,
    event_from,
    graph_node,
    plain_mapping,
    stored_event,
    stored_node,
)
from gradstep.recordings.recording import (
    CodeAround,
    Ending,
    LeafRecord,
    Origin,
    PassRecord,
    ReadTrace,
    Recording,
    RoundRecord,
    StepRecord,
)
from gradstep.recordings.tensor_table import StoredSizes, TensorTable


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of all structs in a recording."""


class StoredLeaf(_Part, frozen=True):
    """One leaf that a pass reached."""

    name: str
    value: TensorIndex
    grad_before: MaybeIndex
    grad_after: MaybeIndex


class StoredPass(_Part, frozen=True):
    """One backward pass."""

    loss: str | None
    """The loss as Python's `float.hex` writes it, which keeps every bit."""

    leaves: list[StoredLeaf]
    nodes: list[StoredNode]
    events: list[StoredEvent]
    summarized: int
    code: CodeAround
    error: str


class StoredStep(_Part, frozen=True):
    """What changed parameters after a pass."""

    optimizer: str
    rate: float | None
    values: dict[str, TensorIndex]
    grads: dict[str, MaybeIndex]
    line: int | None


class StoredRound(_Part, frozen=True):
    """The passes up to an update of the parameters, and its steps."""

    passes: list[StoredPass]
    steps: list[StoredStep]


class StoredRecording(_Part, frozen=True):
    """Everything of a recording but the numbers of its tensors."""

    origin: Origin
    rounds: list[StoredRound]
    wanted: int
    ending: Ending
    sources: dict[str, dict[str, str]]
    """Text of each source line, by file and line number."""

    tensors: list[StoredSizes]


def stored_pass(record: PassRecord, table: TensorTable) -> StoredPass:
    """Return a pass as a struct, its tensors added to `table`."""

    def at(tensor: Tensor | None) -> MaybeIndex:
        return None if tensor is None else table.add(tensor)

    leaves = [
        StoredLeaf(leaf.name, table.add(leaf.value), at(leaf.grad_before), at(leaf.grad_after))
        for leaf in record.leaves
    ]
    return StoredPass(
        loss=None if record.loss is None else record.loss.hex(),
        leaves=leaves,
        nodes=[stored_node(node) for node in record.trace.nodes],
        events=[stored_event(event, table) for event in record.trace.events],
        summarized=record.trace.summarized,
        code=record.code,
        error=record.error,
    )


def stored_step(record: StepRecord, table: TensorTable) -> StoredStep:
    """Return a step as a struct, its tensors added to `table`."""
    values = {name: table.add(value) for name, value in record.values.items()}
    return StoredStep(record.optimizer, record.rate, values, plain_mapping(record.grads, table), record.line)


def recording_from(stored: StoredRecording, tensors: list[Tensor]) -> Recording:
    """Return a recording from its struct.

    Args:
        stored: The struct.
        tensors: Its tensors, in the order of `stored.tensors`.

    Raises:
        ValueError, LookupError: the struct contradicts itself.
    """
    rounds = tuple(
        RoundRecord(
            tuple(_pass(each, tensors) for each in one.passes),
            tuple(_step(each, tensors) for each in one.steps),
        )
        for one in stored.rounds
    )
    sources = {
        file: {int(number): text for number, text in lines.items()} for file, lines in stored.sources.items()
    }
    return Recording(stored.origin, rounds, stored.wanted, stored.ending, sources)


def _pass(stored: StoredPass, tensors: list[Tensor]) -> PassRecord:
    nodes = tuple(graph_node(node, len(stored.nodes)) for node in stored.nodes)
    events = tuple(event_from(event, nodes, tensors) for event in stored.events)
    leaves = tuple(
        LeafRecord(
            leaf.name, tensors[leaf.value], _at(leaf.grad_before, tensors), _at(leaf.grad_after, tensors)
        )
        for leaf in stored.leaves
    )
    if not 0 <= stored.code.at < len(stored.code.statements):
        raise ValueError("a pass stands in no statement")
    loss = None if stored.loss is None else float.fromhex(stored.loss)
    trace = ReadTrace(events, nodes, stored.summarized)
    return PassRecord(trace, loss, leaves, stored.code, stored.error)


def _step(stored: StoredStep, tensors: list[Tensor]) -> StepRecord:
    values = {name: tensors[at] for name, at in stored.values.items()}
    grads = {name: _at(at, tensors) for name, at in stored.grads.items()}
    return StepRecord(stored.optimizer, stored.rate, values, grads, stored.line)


def _at(index: MaybeIndex, tensors: list[Tensor]) -> Tensor | None:
    return None if index is None else tensors[index]
