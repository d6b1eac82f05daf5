"""What happened to gradients between the nodes of a pass, and around its writes to a `.grad`."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gradstep.autograd.events import Accumulation, Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.gradient_copies import NodeGrads, was_reduced
from gradstep.autograd.node_calls import UNKNOWN, Passage, Visit
from gradstep.tensors.placeholders import is_stand_in, is_summary_of

Sent = dict[tuple[Passage, int, int], list[tuple[int, Tensor]]]
"""Gradients on their way, by pass, receiving node and its slot: what each producer sent, in order."""


def raising(node: int, passage: Passage, sent: Sent) -> Visit:
    """Tell what went into a node of PyTorch's own that raised: those are seen only after they ran."""
    slots = [slot for part_of, to, slot in sent if part_of is passage and to == node]
    sums = {slot: _sum([part for _, part in sent[passage, node, slot]]) for slot in slots}
    return Visit(node, passage, tuple(sums.get(slot) for slot in range(max(slots, default=-1) + 1)))


def arrivals(visit: Visit, sent: Sent) -> Iterator[Event]:
    """Tell what the engine, and hooks, did to gradients between their makers and this node."""
    passage = visit.passage
    for slot, arrived in enumerate(visit.grads_in):
        parts = sent.pop((passage, visit.node, slot), [])
        if not parts and visit.node in passage.roots:
            continue  # what a pass starts from was sent by nobody
        expected = _sum([part for _, part in parts])
        if any(map(is_stand_in, (expected, arrived))):
            expected = arrived  # there are no numbers to compare
        if expected is not None and len(parts) > 1:
            producers, grads = zip(*parts, strict=True)
            yield PathsEvent(visit.node, slot, passage.depth, producers, grads, expected)
        if not same_numbers(expected, arrived):
            yield HookEvent(visit.node, slot, passage.depth, expected, arrived)


def _sum(parts: list[Tensor]) -> Tensor | None:
    """Add gradients in the order in which they arrived; None for no gradient."""
    if not parts:
        return None
    if any(map(is_stand_in, parts)):
        return next(filter(is_stand_in, parts))
    total = parts[0]
    for part in parts[1:]:
        total = part + total if total.is_sparse else total + part
    return total


def changed_after_its_write(visit: Visit, event: NodeEvent) -> Iterator[HookEvent]:
    """Tell what a hook did to a `.grad` between this write and the next one, or the end of the pass."""
    write, found = event.accumulation, visit.grad_after
    if write is not None and found is not UNKNOWN and not same_numbers(write.after, found):
        yield HookEvent(visit.node, 0, event.depth, write.after, found)


def accumulation_of(name: str | None, visit: Visit) -> Accumulation:
    """Tell the write itself; a hook may have changed `.grad` right after it, before anybody could look."""
    before, part, after = visit.grad_before, visit.grads_in[0], visit.grad_after
    if is_stand_in(part) and before is None and isinstance(after, Tensor) and is_summary_of(part, after):
        part = after  # it was taken over as it came
    if before is not None and part is not None:
        written = _sum([before, part])
    else:
        written = before if part is None else part
    if after is UNKNOWN or not (is_stand_in(written) or same_numbers(written, after)):
        after = written
    return Accumulation(name, before, part, after)


def as_made(visit: Visit) -> NodeGrads | None:
    """Give what the node made, before the engine reduced any of it."""
    if visit.grads_out is None or visit.raw_out is None:
        return visit.grads_out
    return tuple(
        raw if raw is not None and left is not None and was_reduced(raw, left) else left
        for raw, left in zip(visit.raw_out, visit.grads_out, strict=True)
    )


def reductions(visit: Visit, event: NodeEvent) -> Iterator[ReduceEvent]:
    """Tell what the engine summed or cast after a node had made it."""
    for output, (before, after) in enumerate(zip(event.grads_out or (), visit.grads_out or (), strict=True)):
        if before is not None and after is not None and was_reduced(before, after):
            yield ReduceEvent(visit.node, output, event.depth, before, after)


def same_numbers(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two gradients hold the same numbers, NaN equal to NaN; both None is the same, too."""
    if one is None or other is None:
        return one is other
    if one.is_meta or other.is_meta:
        return True
    if one.shape != other.shape or one.dtype != other.dtype or one.layout != other.layout:
        return False
    if one.layout != torch.strided:
        return same_numbers(one.to_dense(), other.to_dense())
    if one.dtype == torch.complex32:  # PyTorch cannot compare these
        one, other = one.to(torch.complex64), other.to(torch.complex64)
    return bool(torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True))
