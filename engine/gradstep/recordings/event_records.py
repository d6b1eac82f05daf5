"""Events of a recorded pass as structs, which msgspec writes as JSON and validates when it reads them.

Nothing in a file is code: a value is a number, a text, a list of values, or the index of a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import torch
from msgspec import Struct
from torch import Tensor

from gradstep.autograd.events import (
    Accumulation,
    Edge,
    Event,
    HookEvent,
    NodeEvent,
    Overwritten,
    PathsEvent,
    ReduceEvent,
    Unreadable,
)
from gradstep.autograd.graph import GraphNode
from gradstep.autograd.source_map import Source
from gradstep.recordings.tensor_table import DTYPES, TensorTable

TensorIndex: TypeAlias = int
"""Index of a tensor in the file."""

MaybeIndex: TypeAlias = int | None
StoredEdge: TypeAlias = tuple[int, int] | None

LARGEST_INT: Final = 1 << 63


class _Stored(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of all structs in a recording."""


class TensorValue(_Stored, frozen=True, tag="tensor", tag_field="is"):
    """A tensor among saved operands."""

    at: TensorIndex


class TupleValue(_Stored, frozen=True, tag="tuple", tag_field="is"):
    """Several values, or a shape."""

    items: list[StoredOperand]
    size: bool = False


class NumberValue(_Stored, frozen=True, tag="number", tag_field="is"):
    """A number that JSON lacks: nan, an infinity, a complex or a very large one."""

    text: str
    kind: Literal["float", "int", "complex"]


class NamedValue(_Stored, frozen=True, tag="name", tag_field="is"):
    """A value of PyTorch's that has a name: a dtype, a device, a layout or a memory format."""

    name: str
    kind: Literal["dtype", "device", "layout", "memory_format"]


class OverwrittenValue(_Stored, frozen=True, tag="overwritten", tag_field="is"):
    """A saved tensor that was changed in place."""

    shape: tuple[int, ...]


class UnreadableValue(_Stored, frozen=True, tag="unreadable", tag_field="is"):
    """A saved value that could not be read."""

    why: str


StoredOperand: TypeAlias = (
    bool
    | int
    | float
    | str
    | TensorValue
    | TupleValue
    | NumberValue
    | NamedValue
    | OverwrittenValue
    | UnreadableValue
    | None
)


class StoredWrite(_Stored, frozen=True):
    """One write to a `.grad`."""

    parameter: str | None
    before: MaybeIndex
    part: MaybeIndex
    after: MaybeIndex


class StoredNodeEvent(_Stored, frozen=True, tag="node", tag_field="event"):
    """One call of a node; its edges are those of the node."""

    node: int
    depth: int
    grads_in: list[MaybeIndex]
    grads_out: list[MaybeIndex] | None
    saved: dict[str, StoredOperand] = {}
    source: tuple[str, str, int] | None = None
    write: StoredWrite | None = None
    variable: str = ""
    span: tuple[int, int, int, int] | None = None
    part: str = ""
    called: int = 0


class StoredReduceEvent(_Stored, frozen=True, tag="reduce", tag_field="event"):
    """The engine gave a gradient the shape or dtype of its input."""

    node: int
    output: int
    depth: int
    before: TensorIndex
    after: TensorIndex


class StoredPathsEvent(_Stored, frozen=True, tag="paths", tag_field="event"):
    """The engine added gradients of several paths."""

    node: int
    slot: int
    depth: int
    producers: tuple[int, ...]
    parts: list[TensorIndex]
    total: TensorIndex


class StoredHookEvent(_Stored, frozen=True, tag="hook", tag_field="event"):
    """A hook changed a gradient."""

    node: int
    slot: int
    depth: int
    before: MaybeIndex
    after: MaybeIndex
    sender: int | None = None
    output: int | None = None


StoredEvent: TypeAlias = StoredNodeEvent | StoredReduceEvent | StoredPathsEvent | StoredHookEvent


class StoredNode(_Stored, frozen=True):
    """One node of the graph."""

    name: str
    edges: list[StoredEdge]
    parameter: str | None = None


def stored_node(node: GraphNode) -> StoredNode:
    """Return a node of a graph as a struct."""
    edges = [None if edge is None else (edge.node, edge.slot) for edge in node.edges]
    return StoredNode(node.name, edges, node.parameter)


def stored_event(event: Event, table: TensorTable) -> StoredEvent:
    """Return an event as a struct, its tensors added to `table`."""

    def at(tensor: Tensor | None) -> MaybeIndex:
        return None if tensor is None else table.add(tensor)

    match event:
        case NodeEvent(accumulation=write, source=source):
            return StoredNodeEvent(
                event.node,
                event.depth,
                [at(grad) for grad in event.grads_in],
                None if event.grads_out is None else [at(grad) for grad in event.grads_out],
                {name: _stored_value(value, table) for name, value in event.saved.items()},
                None if source is None else (source.expression, source.file, source.line),
                None
                if write is None
                else StoredWrite(write.parameter, at(write.before), at(write.part), at(write.after)),
                "" if source is None else source.name,
                None if source is None else source.span,
                "" if source is None else source.part,
                0 if source is None else source.called,
            )
        case ReduceEvent():
            before, after = table.add(event.before), table.add(event.after)
            return StoredReduceEvent(event.node, event.output, event.depth, before, after)
        case PathsEvent():
            parts, total = [table.add(part) for part in event.parts], table.add(event.total)
            return StoredPathsEvent(event.node, event.slot, event.depth, event.producers, parts, total)
        case HookEvent():
            place = event.node, event.slot, event.depth
            return StoredHookEvent(*place, at(event.before), at(event.after), event.sender, event.output)


def graph_node(stored: StoredNode, count: int) -> GraphNode:
    """Return a node of a graph from its struct.

    Args:
        stored: The struct.
        count: Number of nodes of the graph.

    Raises:
        ValueError: an edge leads out of the graph.
    """
    if not all(edge is None or 0 <= edge[0] < count for edge in stored.edges):
        raise ValueError("an edge leads out of the graph")
    edges = tuple(None if edge is None else Edge(*edge) for edge in stored.edges)
    return GraphNode(stored.name, stored.parameter, edges)


def event_from(stored: StoredEvent, nodes: tuple[GraphNode, ...], tensors: list[Tensor]) -> Event:
    """Return an event from its struct.

    Raises:
        LookupError: a node or a tensor that it names is not there.
    """

    def at(index: MaybeIndex) -> Tensor | None:
        return None if index is None else tensors[index]

    match stored:
        case StoredNodeEvent(write=write, source=source):
            node = nodes[stored.node]
            return NodeEvent(
                node=stored.node,
                name=node.name,
                depth=stored.depth,
                grads_in=tuple(map(at, stored.grads_in)),
                grads_out=None if stored.grads_out is None else tuple(map(at, stored.grads_out)),
                edges=node.edges,
                saved={name: _value(value, tensors) for name, value in stored.saved.items()},
                source=None if source is None else _source(stored, *source),
                accumulation=None
                if write is None
                else Accumulation(write.parameter, at(write.before), at(write.part), at(write.after)),
            )
        case StoredReduceEvent():
            before, after = tensors[stored.before], tensors[stored.after]
            return ReduceEvent(stored.node, stored.output, stored.depth, before, after)
        case StoredPathsEvent():
            parts, total = tuple(tensors[part] for part in stored.parts), tensors[stored.total]
            return PathsEvent(stored.node, stored.slot, stored.depth, stored.producers, parts, total)
        case StoredHookEvent():
            place = stored.node, stored.slot, stored.depth
            return HookEvent(*place, at(stored.before), at(stored.after), stored.sender, stored.output)


def _source(stored: StoredNodeEvent, expression: str, file: str, line: int) -> Source:
    return Source(expression, file, line, stored.variable, stored.span, stored.part, stored.called)


def _stored_value(value: Any, table: TensorTable) -> StoredOperand:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < LARGEST_INT else NumberValue(str(value), "int")
        case float():
            return value if math.isfinite(value) else NumberValue(str(value), "float")
        case complex():
            return NumberValue(str(value), "complex")
        case Tensor():
            return TensorValue(table.add(value))
        case tuple() | list():
            items = [_stored_value(item, table) for item in value]
            return TupleValue(items, size=isinstance(value, torch.Size))
        case Overwritten():
            return OverwrittenValue(tuple(value.shape))
        case Unreadable():
            return UnreadableValue(value.why)
        case torch.dtype() | torch.device() | torch.layout() | torch.memory_format():
            return NamedValue(str(value).removeprefix("torch."), type(value).__name__)  # type: ignore[arg-type]
        case _:
            return UnreadableValue(f"a recording keeps no {type(value).__name__}")


def _value(stored: StoredOperand, tensors: list[Tensor]) -> Any:
    match stored:
        case TensorValue(at=index):
            return tensors[index]
        case TupleValue(items=items, size=size):
            values = tuple(_value(item, tensors) for item in items)
            return torch.Size(values) if size else values
        case NumberValue(text=text, kind=kind):
            return {"float": float, "int": int, "complex": complex}[kind](text)
        case NamedValue(name=name, kind="dtype"):
            return DTYPES[name]
        case NamedValue(name=name, kind="device"):
            return torch.device(name)
        case NamedValue(name=name, kind=kind):
            found = getattr(torch, name, None)
            if not isinstance(found, torch.layout if kind == "layout" else torch.memory_format):
                raise ValueError(f"there is no {kind} {name!r}")
            return found
        case OverwrittenValue(shape=shape):
            return Overwritten(shape)
        case UnreadableValue(why=why):
            return Unreadable(why)
        case _:
            return stored


def plain_mapping(values: Mapping[str, Tensor | None], table: TensorTable) -> dict[str, MaybeIndex]:
    """Return the index of each of several tensors, which are added to `table`."""
    return {name: None if value is None else table.add(value) for name, value in values.items()}
