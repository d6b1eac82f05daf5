"""One `loss.backward()`, recorded node by node.

PyTorch's engine runs the pass, once, for real. The trace is what it did; nothing here schedules a node or
makes a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from engine.errors import GraphFreed, NoGraph, NotAScalar
from engine.events import (
    ACCUMULATE_GRAD,
    Accumulation,
    Edge,
    Event,
    HookEvent,
    NodeEvent,
    PathsEvent,
    ReduceEvent,
)
from engine.gradients import Grads, was_reduced
from engine.graph import GraphNode
from engine.recorder import UNKNOWN, Passage, Recorder, Visit
from engine.sources import Source, SourceMap
from engine.stations import Station, next_to_run, read_station

AROUND = 1_500
"""Bytes around the numbers of one node's run, as measured on small problems."""

Sent = dict[tuple[Passage, int, int], list[tuple[int, Tensor]]]
"""Gradients on their way, by pass, receiving node and its slot: what each producer sent, in order."""


class Trace:
    """The recording of one backward pass; its events are worked out when they are first looked at."""

    def __init__(
        self,
        recorder: Recorder,
        names: Mapping[str, Tensor],
        sources: SourceMap | None,
        error: RuntimeError | None,
    ) -> None:
        """Keep a finished recording; `record_backward` is the way to get one."""
        self.error = error
        """What PyTorch raised in the middle of the pass, or None; the events end with the node that did."""
        self._recorder = recorder
        self._given_names = dict(names)
        self._sources = sources

    def __len__(self) -> int:
        """Give the number of events."""
        return len(self.events)

    @cached_property
    def weight(self) -> int:
        """Give about how many bytes it takes: its numbers, and what PyTorch and Python need around them."""
        rows = self._recorder.rows
        copies = (grad for row in rows for grads in row[2:4] for grad in grads if grad is not None)
        return AROUND * (1 + len(rows)) + sum(int(grad.nbytes) for grad in copies)

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
            read_station(*one) for one in zip(recorder.nodes, recorder.edges, recorder.held, strict=True)
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
                yield from self._visited(_raising(node, self._recorder.raised_in, sent), sent)

    def _visited(self, visit: Visit, sent: Sent) -> Iterator[Event]:
        station = self._stations[visit.node]
        yield from _arrivals(visit, sent)
        event = self._node_event(visit, station)
        yield event
        yield from _reductions(visit, event)
        yield from _changed_after_its_write(visit, event)
        for edge, grad in zip(station.edges, visit.grads_out or (), strict=False):
            if edge is not None and grad is not None:
                sent.setdefault((visit.passage, *edge), []).append((visit.node, grad))

    def _node_event(self, visit: Visit, station: Station) -> NodeEvent:
        accumulation = None
        if station.leaf is not None:
            accumulation = _accumulation(self._names.get(id(station.leaf)), visit)
        return NodeEvent(
            visit.node,
            station.name,
            visit.passage.depth,
            visit.grads_in,
            _as_made(visit),
            _edges(station),
            station.saved,
            self._source(station),
            accumulation,
        )

    def _last_one_raised(self) -> bool:
        if not self._visits:
            return False
        last = self._visits[-1]
        leaf = self._stations[last.node].leaf
        if leaf is not None and leaf._post_accumulate_grad_hooks:
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
    **backward: Any,
) -> Trace:
    """Run `loss.backward()` once and record every node.

    Every `.grad` is left as a plain `loss.backward()` leaves it, bit for bit.

    Args:
        loss: Scalar, shape `()` or one element, with a live graph.
        names: The leaves' names, for the events that write to their `.grad`.
        sources: What `watch_forward` saw while `loss` was computed, for the events' source expressions.
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
    recorder = Recorder()
    error = None
    try:
        recorder.record(loss, backward)
    except RuntimeError as raised:
        error = raised
    if error is not None and not recorder.rows and "second time" in str(error):
        raise GraphFreed(error) from error
    return Trace(recorder, names or {}, sources, error)


def _edges(station: Station) -> tuple[Edge | None, ...]:
    return tuple(None if edge is None else Edge(*edge) for edge in station.edges)


def _raising(node: int, passage: Passage, sent: Sent) -> Visit:
    """Tell what went into a node of PyTorch's own that raised: those are seen only after they ran."""
    slots = [slot for part_of, to, slot in sent if part_of is passage and to == node]
    sums = {slot: _sum([part for _, part in sent[passage, node, slot]]) for slot in slots}
    return Visit(node, passage, tuple(sums.get(slot) for slot in range(max(slots, default=-1) + 1)))


def _arrivals(visit: Visit, sent: Sent) -> Iterator[Event]:
    """Tell what the engine, and hooks, did to gradients between their makers and this node."""
    passage = visit.passage
    for slot, arrived in enumerate(visit.grads_in):
        parts = sent.pop((passage, visit.node, slot), [])
        if not parts and visit.node in passage.roots:
            continue  # what a pass starts from was sent by nobody
        expected = _sum([part for _, part in parts])
        if expected is not None and len(parts) > 1:
            producers, grads = zip(*parts, strict=True)
            yield PathsEvent(visit.node, slot, passage.depth, producers, grads, expected)
        if not same_numbers(expected, arrived):
            yield HookEvent(visit.node, slot, passage.depth, expected, arrived)


def _sum(parts: list[Tensor]) -> Tensor | None:
    """Add gradients in the order in which they arrived; None for no gradient."""
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = part + total if total.is_sparse else total + part
    return total


def _changed_after_its_write(visit: Visit, event: NodeEvent) -> Iterator[HookEvent]:
    """Tell what a hook did to a `.grad` between this write and the next one, or the end of the pass."""
    write, found = event.accumulation, visit.grad_after
    if write is not None and found is not UNKNOWN and not same_numbers(write.after, found):
        yield HookEvent(visit.node, 0, event.depth, write.after, found)


def _accumulation(name: str | None, visit: Visit) -> Accumulation:
    """Tell the write itself; a hook may have changed `.grad` right after it, before anybody could look."""
    before, part, after = visit.grad_before, visit.grads_in[0], visit.grad_after
    if before is not None and part is not None:
        written = _sum([before, part])
    else:
        written = before if part is None else part
    if after is UNKNOWN or not same_numbers(written, after):
        after = written
    return Accumulation(name, before, part, after)


def _as_made(visit: Visit) -> Grads | None:
    """Give what the node made, before the engine reduced any of it."""
    if visit.grads_out is None or visit.raw_out is None:
        return visit.grads_out
    return tuple(
        raw if raw is not None and left is not None and was_reduced(raw, left) else left
        for raw, left in zip(visit.raw_out, visit.grads_out, strict=True)
    )


def _reductions(visit: Visit, event: NodeEvent) -> Iterator[ReduceEvent]:
    for output, (before, after) in enumerate(zip(event.grads_out or (), visit.grads_out or (), strict=True)):
        if before is not None and after is not None and was_reduced(before, after):
            yield ReduceEvent(visit.node, output, event.depth, before, after)


def same_numbers(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two gradients hold the same numbers, NaN equal to NaN; both None is the same, too."""
    if one is None or other is None:
        return one is other
    if one.shape != other.shape or one.dtype != other.dtype or one.layout != other.layout:
        return False
    if one.layout != torch.strided:
        return same_numbers(one.to_dense(), other.to_dense())
    if one.dtype == torch.complex32:  # PyTorch cannot compare these
        one, other = one.to(torch.complex64), other.to(torch.complex64)
    return bool(torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True))
