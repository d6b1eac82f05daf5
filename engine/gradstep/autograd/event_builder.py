"""Builds the events between the nodes of a pass, and around its writes to a `.grad`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import torch
from torch import Tensor

from gradstep.autograd.events import Accumulation, Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.gradient_copies import was_reduced
from gradstep.autograd.node_calls import UNKNOWN, EnginePass, NodeCall, NodeGrads
from gradstep.tensors.placeholders import is_placeholder, is_summary_of

SentGradients: TypeAlias = dict[tuple[EnginePass, int, int], list[tuple[int, Tensor]]]
"""Gradients on their way, by pass, receiving node and its slot: each with the node that sent it, in order."""


def call_that_raised(node: int, engine_pass: EnginePass, sent: SentGradients) -> NodeCall:
    """Return the call of a node of PyTorch's own that raised: its hook, which runs afterwards, did not run.

    The gradients that went in are added up from what was sent to it.
    """
    slots = [slot for sent_in, to, slot in sent if sent_in is engine_pass and to == node]
    sums = {slot: _sum([part for _, part in sent[engine_pass, node, slot]]) for slot in slots}
    return NodeCall(node, engine_pass, tuple(sums.get(slot) for slot in range(max(slots, default=-1) + 1)))


def events_before(call: NodeCall, sent: SentGradients) -> Iterator[Event]:
    """Yield what the engine and hooks did to gradients on their way into a node.

    The gradients that arrive are removed from `sent`.
    """
    engine_pass = call.engine_pass
    for slot, arrived in enumerate(call.grads_in):
        parts = sent.pop((engine_pass, call.node, slot), [])
        if not parts and call.node in engine_pass.roots:
            continue  # no node sent the gradient that a pass starts from
        expected = _sum([part for _, part in parts])
        if any(map(is_placeholder, (expected, arrived))):
            expected = arrived  # there are no numbers to compare
        if expected is not None and len(parts) > 1:
            producers, grads = zip(*parts, strict=True)
            yield PathsEvent(call.node, slot, engine_pass.depth, producers, grads, expected)
        if not same_numbers(expected, arrived):
            yield HookEvent(call.node, slot, engine_pass.depth, expected, arrived)


def _sum(parts: list[Tensor]) -> Tensor | None:
    """Return the sum of gradients, added in the order in which they arrived; None for no gradient."""
    if not parts:
        return None
    if any(map(is_placeholder, parts)):
        return next(filter(is_placeholder, parts))
    total = parts[0]
    for part in parts[1:]:
        total = part + total if total.is_sparse else total + part
    return total


def hooks_after_write(call: NodeCall, event: NodeEvent) -> Iterator[HookEvent]:
    """Yield the change that hooks made to a `.grad` between a write and the next one, or the pass's end."""
    write, found = event.accumulation, call.grad_after
    if write is not None and found is not UNKNOWN and not same_numbers(write.after, found):
        yield HookEvent(call.node, 0, event.depth, write.after, found)


def accumulation_of(name: str | None, call: NodeCall) -> Accumulation:
    """Return the write to a `.grad` itself, without what hooks did to the `.grad` right after it.

    Args:
        name: Name of the leaf; None if it has none.
        call: Call of the leaf's `AccumulateGrad` node.
    """
    before, part, after = call.grad_before, call.grads_in[0], call.grad_after
    if is_placeholder(part) and before is None and isinstance(after, Tensor) and is_summary_of(part, after):
        part = after  # the gradient became the `.grad` unchanged, so its numbers are known
    if before is not None and part is not None:
        written = _sum([before, part])
    else:
        written = before if part is None else part
    if after is UNKNOWN or not (is_placeholder(written) or same_numbers(written, after)):
        after = written
    return Accumulation(name, before, part, after)


def gradients_as_made(call: NodeCall) -> NodeGrads | None:
    """Return the gradients that a node made, before the engine reduced any; None if the node raised."""
    if call.grads_out is None or call.raw_out is None:
        return call.grads_out
    return tuple(
        raw if raw is not None and sent is not None and was_reduced(raw, sent) else sent
        for raw, sent in zip(call.raw_out, call.grads_out, strict=True)
    )


def reductions_after(call: NodeCall, event: NodeEvent) -> Iterator[ReduceEvent]:
    """Yield the gradients that the engine summed or cast after a node had made them."""
    for output, (before, after) in enumerate(zip(event.grads_out or (), call.grads_out or (), strict=True)):
        if before is not None and after is not None and was_reduced(before, after):
            yield ReduceEvent(call.node, output, event.depth, before, after)


def hooks_after_node(call: NodeCall, event: NodeEvent) -> Iterator[HookEvent]:
    """Yield the changes that a node's own post hooks made to gradients on their way to other nodes."""
    if call.hooked_out is None:
        return
    for output, (edge, before) in enumerate(zip(event.edges, call.grads_out or (), strict=False)):
        after = call.hooked_out[output]
        if edge is not None and not same_numbers(before, after):
            yield HookEvent(edge.node, edge.slot, event.depth, before, after, call.node, output)


def same_numbers(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two gradients hold the same numbers; NaN equals NaN, and None equals None.

    A gradient without numbers (a placeholder) is taken to be the same.
    """
    if first is None or second is None:
        return first is second
    if first.is_meta or second.is_meta:
        return True
    if first.shape != second.shape or first.dtype != second.dtype or first.layout != second.layout:
        return False
    if first.layout != torch.strided:
        return same_numbers(first.to_dense(), second.to_dense())
    if first.dtype == torch.complex32:  # PyTorch cannot compare these
        first, second = first.to(torch.complex64), second.to(torch.complex64)
    return bool(torch.equal(first, second) or torch.allclose(first, second, rtol=0, atol=0, equal_nan=True))
