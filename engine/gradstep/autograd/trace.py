"""One `loss.backward()`, recorded node by node.

PyTorch's engine runs the pass, once, for real. The trace is what it did; nothing here schedules a node or
makes a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from torch import Tensor

from gradstep.autograd.event_builder import (
    Sent,
    accumulation_of,
    arrivals,
    as_made,
    changed_after_its_write,
    raising,
    reductions,
)
from gradstep.autograd.events import ACCUMULATE_GRAD, Edge, Event, NodeEvent
from gradstep.autograd.graph import GraphNode
from gradstep.autograd.leaf_copies import KnownLeaves, SavedCopies
from gradstep.autograd.node_calls import Visit
from gradstep.autograd.node_info import Station, next_to_run, read_station
from gradstep.autograd.recorder import Recorder
from gradstep.autograd.source_map import Source, SourceMap
from gradstep.errors import GraphFreed, NoGraph, NotAScalar
from gradstep.tensors.memory import memory_of
from gradstep.torch_internals import has_post_accumulate_hooks

TRACE_LIMIT = 1_000_000_000
"""Bytes of gradients and saved tensors that a trace keeps, where nobody says otherwise."""

AROUND = 1_500
"""Bytes around the numbers of one node's run, as measured on small problems."""


class Trace:
    """The recording of one backward pass; its events are worked out when they are first looked at."""

    def __init__(
        self,
        recorder: Recorder,
        names: Mapping[str, Tensor],
        sources: SourceMap | None,
        error: RuntimeError | None,
        known: KnownLeaves,
    ) -> None:
        """Keep a finished recording; `record_backward` is the way to get one."""
        self.error = error
        """What PyTorch raised in the middle of the pass, or None; the events end with the node that did."""
        self._recorder = recorder
        self._given_names = dict(names)
        self._sources = sources
        self._saved = SavedCopies(known, recorder.budget)
        self._not_its_own = memory_of(one.value for one in known.values())

    def __len__(self) -> int:
        """Give the number of events."""
        return len(self.events)

    @cached_property
    def weight(self) -> int:
        """Give about how many bytes it takes: its numbers, and what PyTorch and Python need around them."""
        return AROUND * (1 + len(self._recorder.rows)) + sum(self.pieces.values())

    @property
    def summarized(self) -> int:
        """How many tensors it keeps summaries of only, since it would have passed its limit."""
        assert self.events is not None  # what nodes saved is copied with them
        return self._recorder.budget.summarized

    @cached_property
    def pieces(self) -> dict[int, int]:
        """Give the memory that its numbers lie in, as `memory_of` does, without copies that there were."""
        rows = self._recorder.rows
        copies = (grad for row in rows for grads in row[2:4] for grad in grads if isinstance(grad, Tensor))
        values = (value for station in self._stations for value in station.saved.values())
        pieces = memory_of((*copies, *(one for value in values for one in _tensors(value))))
        for piece in self._not_its_own:
            pieces.pop(piece, None)
        return pieces

    def delivered(self) -> dict[int, Tensor | None]:
        """Give, by `id` of a leaf, the copy of what the pass last delivered to it."""
        return self._recorder.delivered()

    def take_copies(self, copies: Mapping[int, Tensor | None]) -> None:
        """Keep copies of what each `.grad` is right after the pass, by `id` of its leaf."""
        self._recorder.take_copies(copies)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """All events, in the order in which they happened.

        Saved tensors are copied here. One that was changed in place since the pass shows as `Overwritten`, so
        look before you update the parameters.
        """
        return tuple(self._tell())

    @cached_property
    def _names(self) -> dict[int, str]:
        return {id(leaf): name for name, leaf in self._given_names.items()}

    @cached_property
    def _visits(self) -> list[Visit]:
        visits = self._recorder.visits
        for visit in visits:
            visit.raw_out = self._recorder.raw_gradients(visit)
        return visits

    @cached_property
    def _stations(self) -> list[Station]:
        """What is to be known of the nodes, which are let go of then."""
        recorder = self._recorder
        assert self._visits is not None  # they ask the nodes, so they come first
        stations = [
            read_station(*one, self._saved.of)
            for one in zip(recorder.nodes, recorder.edges, recorder.held, strict=True)
        ]
        recorder.nodes.clear()
        recorder.held.clear()
        return stations

    @cached_property
    def nodes(self) -> tuple[GraphNode, ...]:
        """The graph that the pass went through, the loss's node first; also those of passes inside it."""
        return tuple(
            GraphNode(one.name, None if one.leaf is None else self._names.get(id(one.leaf)), _edges(one))
            for one in self._stations
        )

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the leaves that the graph leads to."""
        return tuple(self._names[id(s.leaf)] for s in self._stations if id(s.leaf) in self._names)

    def _tell(self) -> Iterator[Event]:
        sent: Sent = {}
        for visit in self._visits:
            yield from self._visited(visit, sent)
        if self._recorder.raised_in is not None and self.error is not None and not self._last_one_raised():
            node = next_to_run(self._stations, self._visits, self._recorder.raised_in)
            if node is not None:
                yield from self._visited(raising(node, self._recorder.raised_in, sent), sent)

    def _visited(self, visit: Visit, sent: Sent) -> Iterator[Event]:
        station = self._stations[visit.node]
        yield from arrivals(visit, sent)
        event = self._node_event(visit, station)
        yield event
        yield from reductions(visit, event)
        yield from changed_after_its_write(visit, event)
        for edge, grad in zip(station.edges, visit.grads_out or (), strict=False):
            if edge is not None and grad is not None:
                sent.setdefault((visit.passage, *edge), []).append((visit.node, grad))

    def _node_event(self, visit: Visit, station: Station) -> NodeEvent:
        accumulation = None
        if station.leaf is not None:
            accumulation = accumulation_of(self._names.get(id(station.leaf)), visit)
        return NodeEvent(
            node=visit.node,
            name=station.name,
            depth=visit.passage.depth,
            grads_in=visit.grads_in,
            grads_out=as_made(visit),
            edges=_edges(station),
            saved=station.saved,
            source=self._source(station),
            accumulation=accumulation,
        )

    def _last_one_raised(self) -> bool:
        if not self._visits:
            return False
        last = self._visits[-1]
        leaf = self._stations[last.node].leaf
        if leaf is not None and has_post_accumulate_hooks(leaf):
            last.grads_out = None
        return last.grads_out is None

    def _source(self, station: Station) -> Source | None:
        if self._sources is None or station.name == ACCUMULATE_GRAD:
            return None
        return self._sources.find(station.sequence_nr)


def record_backward(
    loss: Tensor,
    *,
    names: Mapping[str, Tensor] | None = None,
    sources: SourceMap | None = None,
    known: KnownLeaves = MappingProxyType({}),
    limit: int = TRACE_LIMIT,
    **backward: Any,
) -> Trace:
    """Run `loss.backward()` once and record every node.

    Every `.grad` is left as a plain `loss.backward()` leaves it, bit for bit.

    Args:
        loss: Scalar, shape `()` or one element, with a live graph.
        names: The leaves' names, for the events that write to their `.grad`.
        sources: What `watch_forward` saw while `loss` was computed, for the events' source expressions.
        known: Copies of leaves that there are already, so that none has to be made.
        limit: Bytes of copies from which on the trace keeps summaries.
        backward: Passed on to `loss.backward`: `retain_graph`, `create_graph`, `inputs`.

    Returns:
        The trace. Where PyTorch raised in the middle of the pass, `trace.error` holds its error and the
        events tell what had been done by then.

    Raises:
        NotAScalar: `loss` holds more than one number.
        NoGraph: `loss` does not require grad.
        GraphFreed: the graph was used up by an earlier pass.
    """
    if loss.numel() != 1:
        raise NotAScalar(tuple(loss.shape))
    if not loss.requires_grad:
        raise NoGraph
    recorder = Recorder(known, limit)
    error = None
    try:
        recorder.record(loss, backward)
    except RuntimeError as raised:
        error = raised
    if error is not None and not recorder.rows and "second time" in str(error):
        raise GraphFreed(error) from error
    return Trace(recorder, names or {}, sources, error, known)


def _tensors(value: Any) -> Iterator[Tensor]:
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, Tensor):
            yield one


def _edges(station: Station) -> tuple[Edge | None, ...]:
    return tuple(None if edge is None else Edge(*edge) for edge in station.edges)
