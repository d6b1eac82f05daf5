"""The recording of one `loss.backward()`, node by node.

PyTorch's engine runs the pass, once, for real. The trace says what the engine did; nothing here schedules a
node or makes a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from torch import Tensor

from gradstep.autograd.event_builder import (
    SentGradients,
    accumulation_of,
    call_that_raised,
    events_before,
    gradients_as_made,
    hooks_after_node,
    hooks_after_write,
    reductions_after,
)
from gradstep.autograd.events import Accumulation, Edge, Event, NodeEvent
from gradstep.autograd.graph import GraphNode
from gradstep.autograd.leaf_copies import LeafCopies, SavedCopies
from gradstep.autograd.node_calls import NodeCall, NodeGrads
from gradstep.autograd.node_info import NodeInfo, next_to_run, read_node
from gradstep.autograd.recorder import Recorder
from gradstep.autograd.source_map import FoundSources
from gradstep.errors import GraphFreed, NoGraph, NotAScalar
from gradstep.learner_code.eager import uncompiled
from gradstep.learner_code.raised import is_of_learners_code, message_of
from gradstep.tensors.gc_pause import without_collection
from gradstep.tensors.memory import memory_of
from gradstep.torch_internals import has_post_accumulate_hooks

TRACE_LIMIT = 1_000_000_000
"""Bytes of gradients and saved tensors that a trace copies by default."""

AROUND = 1_500
"""Bytes of Python and PyTorch objects around the numbers of one node's call, measured on small problems."""


class Trace:
    """The recording of one backward pass; its events are built when they are first looked at."""

    def __init__(
        self,
        recorder: Recorder,
        names: Mapping[str, Tensor],
        sources: FoundSources | None,
        error: BaseException | None,
        known: LeafCopies,
    ) -> None:
        """Keep a finished recording; call `record_backward` to make one."""
        self.error = error
        """Error that PyTorch or the learner's code raised in the middle of the pass, or None; the last event
        is the node's that raised it."""
        self._recorder = recorder
        self._given_names = dict(names)
        self._sources = sources
        self._saved = SavedCopies(known, recorder.budget)
        self._shared_memory = memory_of(copy.value for copy in known.values())

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.events)

    @cached_property
    def weight(self) -> int:
        """Memory that the trace takes, in bytes: its numbers, and an estimate of the objects around them."""
        return AROUND * (1 + len(self._recorder.rows)) + sum(self.pieces.values())

    @property
    def summarized(self) -> int:
        """Number of tensors that the trace has only summaries of, because of its limit in bytes."""
        assert self.events is not None  # building the events copies the saved tensors
        return self._recorder.budget.summarized

    @cached_property
    def pieces(self) -> dict[int, int]:
        """Size in bytes of each piece of memory that the trace's numbers lie in, by its address.

        Memory that is shared with existing copies of leaves is left out.
        """
        rows = self._recorder.rows
        copies = (grad for row in rows for grads in row[2:4] for grad in grads if isinstance(grad, Tensor))
        values = (value for node in self._nodes for value in node.saved.values())
        pieces = memory_of((*copies, *(tensor for value in values for tensor in _tensors(value))))
        for address in self._shared_memory:
            pieces.pop(address, None)
        return pieces

    def delivered(self) -> dict[int, Tensor | None]:
        """Return a copy of the gradient that each leaf received last, by `id` of the leaf."""
        return self._recorder.delivered()

    def take_copies(self, copies: Mapping[int, Tensor | None]) -> None:
        """Use a caller's copies of each `.grad` right after the pass, by `id` of the leaf."""
        self._recorder.take_copies(copies)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """All events, in the order in which they happened.

        Saved tensors are copied when this is first read. A tensor that was changed in place since the pass
        shows as `Overwritten`, so read the events before the parameters are updated.
        """
        with without_collection():
            return tuple(self._all_events())

    @cached_property
    def writes(self) -> tuple[tuple[int, Accumulation], ...]:
        """Writes to the `.grad` of named parameters, in order, each with its event's index in `events`."""
        return tuple(
            (number, event.accumulation)
            for number, event in enumerate(self.events)
            if isinstance(event, NodeEvent) and event.accumulation and event.accumulation.parameter
        )

    @cached_property
    def _first_events(self) -> dict[int, NodeEvent]:
        """First event of each node that ran, by the node's index."""
        first: dict[int, NodeEvent] = {}
        for event in self.events:
            if isinstance(event, NodeEvent):
                first.setdefault(event.node, event)
        return first

    def event_of(self, node: int) -> NodeEvent | None:
        """Return the first event of the node with an index; None if the node did not run."""
        return self._first_events.get(node)

    @cached_property
    def _names(self) -> dict[int, str]:
        """Names of the leaves, by `id`."""
        return {id(leaf): name for name, leaf in self._given_names.items()}

    @cached_property
    def _calls(self) -> list[NodeCall]:
        calls = self._recorder.calls
        for call in calls:
            call.raw_out = self._recorder.raw_gradients(call)
        return calls

    @cached_property
    def _nodes(self) -> list[NodeInfo]:
        """Facts about every node; the nodes themselves are released."""
        recorder = self._recorder
        assert self._calls is not None  # building the calls needs the nodes, so it comes first
        infos = [
            read_node(node, edges, held, self._saved.of, self._sources)
            for node, edges, held in zip(recorder.nodes, recorder.edges, recorder.held, strict=True)
        ]
        self._sources = None
        recorder.nodes.clear()
        recorder.held.clear()
        return infos

    @cached_property
    def nodes(self) -> tuple[GraphNode, ...]:
        """The graph of the recorded pass, the loss's node first, with the graphs of passes inside it."""
        return tuple(
            GraphNode(
                node.name,
                None if node.leaf is None else self._names.get(id(node.leaf)),
                tuple(None if edge is None else Edge(*edge) for edge in node.edges),
            )
            for node in self._nodes
        )

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the named leaves that the graph leads to."""
        return tuple(self._names[id(node.leaf)] for node in self._nodes if id(node.leaf) in self._names)

    def _all_events(self) -> Iterator[Event]:
        sent: SentGradients = {}
        for call in self._calls:
            yield from self._events_of(call, sent)
        raised_in = self._recorder.raised_in
        if raised_in is not None and self.error is not None and not self._last_call_raised():
            node = next_to_run(self._nodes, self._calls, raised_in)
            if node is not None:
                yield from self._events_of(call_that_raised(node, raised_in, sent), sent)

    def _events_of(self, call: NodeCall, sent: SentGradients) -> Iterator[Event]:
        """Yield the events of one call, and add the gradients that leave the node to `sent`."""
        node = self._nodes[call.node]
        yield from events_before(call, sent)
        event = self._node_event(call, node)
        yield event
        yield from reductions_after(call, event)
        yield from hooks_after_node(call, event)
        yield from hooks_after_write(call, event)
        for edge, grad in zip(node.edges, call.sent or (), strict=False):
            if edge is not None and grad is not None:
                sent.setdefault((call.engine_pass, *edge), []).append((call.node, grad))

    def _node_event(self, call: NodeCall, node: NodeInfo) -> NodeEvent:
        accumulation = None
        if node.leaf is not None:
            accumulation = accumulation_of(self._names.get(id(node.leaf)), call)
        return NodeEvent(
            node=call.node,
            name=node.name,
            depth=call.engine_pass.depth,
            grads_in=call.grads_in,
            grads_out=gradients_as_made(call),
            edges=self.nodes[call.node].edges,
            saved=node.saved,
            source=node.source,
            accumulation=accumulation,
        )

    def _last_call_raised(self) -> bool:
        """Return whether the error came from the last call, or from a hook right after its write."""
        recorder = self._recorder
        calls = [call for call in self._calls if call.engine_pass is recorder.raised_in]
        if not calls:
            return False
        last = calls[-1]
        if last.hook_raised or (recorder.looked_for_nan and _has_nan(last.sent)):
            return True
        leaf = self._nodes[last.node].leaf
        if leaf is not None and has_post_accumulate_hooks(leaf):
            last.grads_out = None
        return last.grads_out is None


def record_backward(
    loss: Tensor,
    *,
    names: Mapping[str, Tensor] | None = None,
    sources: FoundSources | None = None,
    known: LeafCopies = MappingProxyType({}),
    limit: int = TRACE_LIMIT,
    **backward: Any,
) -> Trace:
    """Run `loss.backward()` once and record every node.

    Every `.grad` ends up as a plain `loss.backward()` leaves it, bit for bit.

    Args:
        loss: Scalar, shape `()` or one element, with a live graph.
        names: The leaves by name, for the events that write to their `.grad`.
        sources: Result of `watch_forward` around the computation of `loss`, for the events' source
            expressions; None for no expressions.
        known: Existing copies of leaves, so that none has to be made.
        limit: Bytes of copies; the trace keeps only summaries of further tensors.
        backward: Arguments of `loss.backward`: `retain_graph`, `create_graph`, `inputs`.

    Returns:
        The trace. If PyTorch, or a `backward` or a hook of the learner's, raised an error in the middle of
        the pass, `trace.error` holds it, and the events end with the node that raised it.

    Raises:
        NotAScalar: `loss` holds more than one number.
        NoGraph: `loss` does not require grad.
        GraphFreed: The graph was freed by an earlier pass.
    """
    if loss.numel() != 1:
        raise NotAScalar(tuple(loss.shape))
    if not loss.requires_grad:
        raise NoGraph
    recorder = Recorder(known, limit)
    error = None
    try:
        with uncompiled(), without_collection():
            recorder.record(loss, backward)
    except BaseException as raised:
        if not is_of_learners_code(raised):
            raise
        error = raised
    if isinstance(error, RuntimeError) and not recorder.rows and "second time" in message_of(error):
        raise GraphFreed(error) from error
    return Trace(recorder, names or {}, sources, error, known)


def _has_nan(grads: NodeGrads | None) -> bool:
    """Return whether a gradient holds nan; in anomaly mode the engine raises an error for it."""
    return any(bool(grad.isnan().any()) for grad in grads or () if grad is not None and not grad.is_meta)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a saved value, which is one tensor, a tuple, or no tensor at all."""
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, Tensor):
            yield part
