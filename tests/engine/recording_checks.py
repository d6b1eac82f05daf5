"""What every recorded pass must keep, checked against a plain pass over the same graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from gradstep.autograd.event_builder import same_numbers
from gradstep.autograd.events import ACCUMULATE_GRAD, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace, record_backward

Made = tuple[Tensor, Sequence[Tensor]]
"""A loss and its leaves."""
Build = Callable[[], Made]
"""Makes them: new tensors at every call, the same numbers."""

_DOOR = torch.autograd._engine_run_backward
_APPLY = Function.__dict__["apply"]
_ASKED = torch.autograd.function._is_setup_context_defined
_EVALUATED = "autograd::engine::evaluate_function: "


class NotComparable(Exception):  # noqa: N818 - it is no error
    """A graph that has nothing to compare."""


def bits(tensor: Tensor | None) -> Any:
    """All that makes a gradient what it is: dtype, layout, shape, strides, and the bytes of its numbers."""
    if tensor is None:
        return None
    tensor = tensor.detach()
    facts = (tensor.dtype, tensor.layout, tuple(tensor.shape))
    if tensor.layout == torch.sparse_coo:
        return *facts, tensor.is_coalesced(), bits(tensor._indices()), bits(tensor._values())
    if tensor.layout != torch.strided:
        return *facts, bits(tensor.to_dense())
    plain = tensor.resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    flags = (tensor.stride(), tensor.is_conj(), tensor.is_neg())
    return *facts, *flags, plain.reshape(-1).view(torch.uint8).numpy().tobytes()


def same_as_plain(build: Build, *, ordered: bool = True, consistent: bool = True, **backward: Any) -> Trace:
    """Record one pass and hold it against a plain one: grads, order, story, and what is left behind."""
    plain_loss, plain_leaves = build()
    order, plain_error = _plain(plain_loss, ordered, backward_of(plain_leaves, backward))
    loss, leaves = build()
    nodes = graph_nodes(loss)
    hooks = hook_count(nodes)
    names = {str(number): leaf for number, leaf in enumerate(leaves)}
    trace = record_backward(loss, names=names, **backward_of(leaves, backward))
    assert [bits(leaf.grad) for leaf in leaves] == [bits(leaf.grad) for leaf in plain_leaves]
    assert str(trace.error) == str(plain_error)
    assert_nothing_stays(nodes, hooks)
    if ordered and plain_error is None:
        assert ran(trace) == order
    if consistent:
        assert_consistent(trace)
        if plain_error is None:
            assert_final_grads(trace, names)
    return trace


def backward_of(leaves: Sequence[Tensor], backward: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of `backward`, where `inputs` are told as positions in `leaves`."""
    if "inputs" not in backward:
        return backward
    return {**backward, "inputs": [leaves[position] for position in backward["inputs"]]}


def _plain(loss: Tensor, ordered: bool, backward: dict[str, Any]) -> tuple[list[str], RuntimeError | None]:
    if not ordered:
        return [], _run(loss, backward)
    with torch.autograd.profiler.profile() as profile:
        error = _run(loss, backward)
    events = sorted(profile.function_events, key=lambda event: event.time_range.start)
    names = [event.name.removeprefix(_EVALUATED) for event in events if event.name.startswith(_EVALUATED)]
    return [name.removeprefix("torch::autograd::") for name in names if "GraphRoot" not in name], error


def _run(loss: Tensor, backward: dict[str, Any]) -> RuntimeError | None:
    try:
        loss.backward(**backward)
    except RuntimeError as error:
        return error
    return None


def ran(trace: Trace) -> list[str]:
    """Names of the nodes in the order in which they started."""
    return [event.name.removeprefix("torch::autograd::") for event in started(trace)]


def started(trace: Trace) -> list[NodeEvent]:
    """The node events."""
    return [event for event in trace.events if isinstance(event, NodeEvent)]


def graph_nodes(loss: Tensor) -> list[Any]:
    """All nodes that a loss leads to."""
    found: dict[Any, None] = {}
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found[node] = None
            waiting.extend(successor for successor, _ in node.next_functions)
    return list(found)


def assert_nothing_stays(nodes: Sequence[Any], hooks: int = 0) -> None:
    """Check that no node of the graph has a hook (but `hooks`), and that torch is as it was."""
    assert torch.autograd._engine_run_backward is _DOOR
    assert torch.autograd.graph._engine_run_backward is _DOOR
    assert Function.__dict__["apply"] is _APPLY
    assert torch.autograd.function._is_setup_context_defined is _ASKED
    assert hook_count(nodes) == hooks
    assert not [node for node in nodes if "apply" in getattr(node, "__dict__", ())]


def hook_count(nodes: Sequence[Any]) -> int:
    """Count the hooks on nodes."""
    count = 0
    for node in nodes:
        for register in (node.register_hook, node.register_prehook):
            handle = register(lambda *grads: None)
            count += len(handle.hooks_dict_ref()) - 1
            handle.remove()
    return count


def assert_consistent(trace: Trace) -> None:
    """Check that the events tell one story: what goes into a node is the in-order sum of what was sent."""
    expected: dict[tuple[int, int], Tensor | None] = {}
    waiting: dict[tuple[int, int], list[Tensor]] = {}
    before: NodeEvent | None = None
    events = trace.events
    for position, event in enumerate(events):
        if isinstance(event, PathsEvent):
            parts = waiting.pop((event.node, event.slot))
            assert len(parts) == len(event.parts) == len(event.producers) > 1
            assert all(same_numbers(sent, told) for sent, told in zip(parts, event.parts, strict=True))
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            assert same_numbers(total, event.total)
            expected[event.node, event.slot] = event.total
        elif isinstance(event, HookEvent):
            assert not same_numbers(event.before, event.after)
            if event.sender is not None:
                _leave(event, waiting)
                continue
            if _after_its_write(event, before):
                continue
            key = event.node, event.slot
            known = expected[key] if key in expected else (waiting.pop(key, None) or [None])[0]
            assert same_numbers(known, event.before)
            expected[key] = event.after
        elif isinstance(event, ReduceEvent):
            assert before is not None
            assert event.node == before.node
            assert (event.before.shape, event.before.dtype) != (event.after.shape, event.after.dtype)
        else:
            _assert_node(event, position == 0, expected, waiting)
            for slot, grad in enumerate(_sent(events, position)):
                edge = event.edges[slot]
                if edge is not None and grad is not None:
                    waiting.setdefault((edge.node, edge.slot), []).append(grad)
            before = event


def _leave(event: HookEvent, waiting: dict[tuple[int, int], list[Tensor]]) -> None:
    """Replace a gradient that a node's own hook changed as it left."""
    parts = waiting[event.node, event.slot]
    assert same_numbers(parts[-1], event.before)
    assert event.after is not None
    parts[-1] = event.after


def _after_its_write(event: HookEvent, last: NodeEvent | None) -> bool:
    """Whether the event tells what a post-accumulate-grad hook did to the `.grad` just written."""
    if last is None or last.accumulation is None or last.node != event.node:
        return False
    return same_numbers(last.accumulation.after, event.before)


def _assert_node(event: NodeEvent, root: bool, expected: dict[Any, Any], waiting: dict[Any, Any]) -> None:
    for slot, grad in enumerate(event.grads_in):
        key = event.node, slot
        if key in expected:
            assert same_numbers(expected.pop(key), grad)
        elif key in waiting:
            (sent,) = waiting.pop(key)
            assert same_numbers(sent, grad)
        else:
            assert grad is None or root or event.depth
    assert (event.accumulation is None) == (event.name != ACCUMULATE_GRAD)
    if event.accumulation is not None:
        _assert_added(event)


def _assert_added(event: NodeEvent) -> None:
    assert event.accumulation is not None
    before, part, after = event.accumulation.before, event.accumulation.part, event.accumulation.after
    assert part is event.grads_in[0]
    if before is None or part is None:
        assert same_numbers(before if part is None else part, after)
    else:
        assert same_numbers(part + before if before.is_sparse else before + part, after)


def _sent(events: Sequence[Any], position: int) -> list[Tensor | None]:
    sent = list(events[position].grads_out or ())
    for event in events[position + 1 :]:
        if not isinstance(event, ReduceEvent):
            break
        assert same_numbers(event.before, sent[event.output])
        sent[event.output] = event.after
    return sent


def assert_final_grads(trace: Trace, names: dict[str, Tensor]) -> None:
    """Check that the last write told of each leaf is what its `.grad` holds."""
    last: dict[str | None, Tensor | None] = {}
    written: dict[int, str | None] = {}
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.accumulation is not None:
            written[event.node] = event.accumulation.parameter
            last[event.accumulation.parameter] = event.accumulation.after
        elif isinstance(event, HookEvent) and event.node in written:
            last[written[event.node]] = event.after
    for name, leaf in names.items():
        if name in last:
            assert same_numbers(last[name], None if leaf.grad is None else leaf.grad.detach())
