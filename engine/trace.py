"""One `loss.backward()`, recorded node by node.

PyTorch's engine runs the pass, once, for real. The trace is what it did; nothing here schedules a node or makes a
gradient.
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
    Overwritten,
    PathsEvent,
    ReduceEvent,
)
from engine.recorder import Recorder, Station, Visit
from engine.sources import Source, SourceMap

_WRAPPED = 1 << 63
"""PyTorch hands saved negative integers out as unsigned 64-bit ones."""


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
        """What PyTorch raised in the middle of the pass, or None. The events end with the node that raised."""
        self._stations = recorder.stations
        self._visits = recorder.visits
        self._names = {id(leaf): name for name, leaf in names.items()}
        self._sources = sources

    def __len__(self) -> int:
        """Give the number of events."""
        return len(self.events)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """All events, in the order in which they happened.

        Saved tensors are copied here. One that was changed in place since the pass shows as `Overwritten`, so look
        before you update the parameters.
        """
        return tuple(self._tell())

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the leaves that the graph leads to."""
        return tuple(self._names[id(s.leaf)] for s in self._stations if id(s.leaf) in self._names)

    def _tell(self) -> Iterator[Event]:
        sent: dict[tuple[int, int], list[tuple[int, Tensor]]] = {}
        saved = [_settled(station) for station in self._stations]
        first = True
        for visit in self._visits:
            station = self._stations[visit.node]
            if not first:  # nothing sends to the root
                yield from _arrivals(visit, station, sent)
            first = False
            yield self._node_event(visit, station, saved[visit.node])
            yield from _reductions(visit, station)
            for edge, grad in zip(station.edges, visit.grads_out or (), strict=False):
                if edge is not None and grad is not None:
                    sent.setdefault(edge, []).append((visit.node, grad))

    def _node_event(self, visit: Visit, station: Station, saved: Mapping[str, Any]) -> NodeEvent:
        accumulation = None
        if station.leaf is not None:
            accumulation = Accumulation(
                self._names.get(id(station.leaf)), visit.grad_before, visit.grads_in[0], visit.grad_after
            )
        return NodeEvent(
            visit.node,
            station.name,
            station.depth,
            visit.grads_in,
            visit.grads_out if visit.raw_out is None else visit.raw_out,
            tuple(None if edge is None else Edge(*edge) for edge in station.edges),
            saved,
            self._source(station),
            accumulation,
        )

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
        The trace. Where PyTorch raised in the middle of the pass, `trace.error` holds its error and the events tell
        what had been done by then.

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
    with recorder.recording():
        try:
            loss.backward(**backward)  # type: ignore[no-untyped-call]
        except RuntimeError as raised:
            error = raised
    if error is not None and not recorder.visits and "second time" in str(error):
        raise GraphFreed(error) from error
    return Trace(recorder, names or {}, sources, error)


def _arrivals(
    visit: Visit, station: Station, sent: dict[tuple[int, int], list[tuple[int, Tensor]]]
) -> Iterator[Event]:
    """Tell what the engine, and hooks, did to gradients between their makers and this node."""
    for slot, arrived in enumerate(visit.grads_in):
        parts = sent.pop((visit.node, slot), [])
        if not parts:
            continue
        expected: Tensor = parts[0][1]
        for _, part in parts[1:]:
            expected = expected + part
        if len(parts) > 1:
            producers, grads = zip(*parts, strict=True)
            yield PathsEvent(visit.node, slot, station.depth, producers, grads, expected)
        if not same_numbers(expected, arrived):
            yield HookEvent(visit.node, slot, station.depth, expected, arrived)


def _reductions(visit: Visit, station: Station) -> Iterator[ReduceEvent]:
    for output, (before, after) in enumerate(zip(visit.raw_out or (), visit.grads_out or (), strict=False)):
        if before is None or after is None:
            continue
        if before.shape != after.shape or before.dtype != after.dtype:
            yield ReduceEvent(visit.node, output, station.depth, before, after)


def same_numbers(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two gradients hold the same numbers, NaN equal to NaN; both None is the same, too."""
    if one is None or other is None:
        return one is other
    if one.shape != other.shape or one.dtype != other.dtype or one.layout != other.layout:
        return False
    if one.layout != torch.strided:
        return same_numbers(one.to_dense(), other.to_dense())
    return bool(torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True))


def _settled(station: Station) -> dict[str, Any]:
    return {name: _settle(value, version) for name, value, version in station.saved}


def _settle(value: Any, version: int) -> Any:
    if isinstance(value, Tensor):
        if version >= 0 and value._version != version:
            return Overwritten(tuple(value.shape))
        return value.detach().clone()
    if isinstance(value, (tuple, list)):
        return tuple(_settle(one, -1) for one in value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= _WRAPPED:
        return value - 2 * _WRAPPED
    return value
