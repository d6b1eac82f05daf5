from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gradstep.autograd.events import (
    Edge,
    HookEvent,
    NodeEvent,
    Overwritten,
    PathsEvent,
    ReduceEvent,
    Unreadable,
)
from gradstep.autograd.trace import record_backward
from gradstep.derivatives.explain import explain
from gradstep.errors import GraphFreed, NoGraph, NotAScalar
from tests.engine.recording_checks import assert_nothing_stays, bits, graph_nodes, hook_count, ran, started


class Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        raise RuntimeError("on purpose")


def leaf(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32, requires_grad=True)


def event_named(trace: Any, name: str) -> NodeEvent:
    return next(event for event in started(trace) if event.name == name)


def test_a_gradient_that_was_broadcast_is_made_large_and_then_summed() -> None:
    b = leaf(1, 2)
    trace = record_backward((torch.ones(3, 2, requires_grad=True) + b).sum(), names={"b": b})
    add = event_named(trace, "AddBackward0")
    (reduced,) = (event for event in trace.events if isinstance(event, ReduceEvent))
    assert add.grads_out is not None
    assert reduced.before is add.grads_out[1]
    assert reduced.before.tolist() == [[1, 1]] * 3
    assert reduced.after.tolist() == [3, 3]
    assert (reduced.node, reduced.output) == (add.node, 1)


def test_a_factor_that_was_broadcast_is_told_the_same_way() -> None:
    b = leaf(1, 2)
    trace = record_backward((torch.full((3, 2), 5.0) * b).sum())
    (reduced,) = (event for event in trace.events if isinstance(event, ReduceEvent))
    assert reduced.before.tolist() == [[5, 5]] * 3
    assert reduced.after.tolist() == [15, 15]


@pytest.mark.parametrize(
    ("made", "shapes"),
    [
        (lambda b: torch.ones(1, 2) + b, ((1, 2), (2,))),
        (lambda b: torch.full((1, 2), 5.0) * b, ((1, 2), (2,))),
        (lambda b: torch.ones(0, 2) + b, ((0, 2), (2,))),
        (lambda b: torch.ones(0, 2) / b, ((0, 2), (2,))),
        (lambda b: torch.dist(torch.arange(6.0).view(3, 2), b), ((3, 2), (2,))),
        (lambda b: b.masked_select(torch.eye(3, 2) > 0), ((3, 2), (2,))),
    ],
    ids=["one row", "a factor of one row", "no rows", "a divisor of no rows", "distance", "select"],
)
def test_any_broadcast_is_told_also_where_the_sizes_do_not_show_it(
    made: Callable[[Tensor], Tensor], shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    b = leaf(1, 2)
    trace = record_backward(made(b).sum())
    found = [event for event in trace.events if isinstance(event, ReduceEvent)]
    assert [(tuple(event.before.shape), tuple(event.after.shape)) for event in found] == [shapes]
    assert all(torch.equal(event.before.sum_to_size(event.after.shape), event.after) for event in found)


class Shift(torch.autograd.Function):
    """Broadcasts, and leaves the summing of its gradient to the engine."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Tensor, b: Tensor) -> Tensor:
        return x + b

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        Shift.calls += 1
        return grad, grad * 2


def test_what_a_custom_function_broadcast_is_told_and_its_backward_runs_but_once() -> None:
    b, calls = leaf(1, 2), Shift.calls
    trace = record_backward(Shift.apply(torch.ones(3, 2), b).sum(), names={"b": b})
    (reduced,) = (event for event in trace.events if isinstance(event, ReduceEvent))
    assert Shift.calls == calls + 1
    assert reduced.before.tolist() == [[2, 2]] * 3
    assert reduced.after.tolist() == [6, 6]
    assert event_named(trace, "ShiftBackward").grads_out[1] is reduced.before
    assert b.grad is not None
    assert b.grad.tolist() == [6, 6]


def test_several_paths_to_one_tensor_are_added_in_the_order_of_arrival() -> None:
    w = leaf(1, 2)
    trace = record_backward((w * 2 + w * 3 + w * 4).sum(), names={"w": w})
    (paths,) = (event for event in trace.events if isinstance(event, PathsEvent))
    assert [part.tolist() for part in paths.parts] == [[4, 4], [3, 3], [2, 2]]
    assert [trace_name(trace, node) for node in paths.producers] == ["MulBackward0"] * 3
    assert paths.total.tolist() == [9, 9]


def trace_name(trace: Any, node: int) -> str:
    return next(event.name for event in started(trace) if event.node == node)


def test_edges_lead_to_the_nodes_that_run_next() -> None:
    trace = record_backward((leaf(1, 2) * 2).sum())
    total, product, write = started(trace)
    assert total.edges == (Edge(product.node, 0),)
    assert product.edges == (Edge(write.node, 0), None)


def test_a_write_tells_grad_before_the_part_and_grad_after() -> None:
    w = leaf(1, 2)
    w.grad = torch.tensor([10.0, 20.0])
    write = started(record_backward((w * 3).sum(), names={"w": w}))[-1].accumulation
    assert write is not None
    assert write.parameter == "w"
    assert [write.before.tolist(), write.part.tolist(), write.after.tolist()] == [[10, 20], [3, 3], [13, 23]]


def test_what_is_told_does_not_change_with_the_tensors() -> None:
    w = leaf(1, 2)
    trace = record_backward((w * 3).sum(), names={"w": w})
    w.grad.zero_()
    with torch.no_grad():
        w.mul_(100)
    write = started(trace)[-1].accumulation
    assert write is not None
    assert write.after.tolist() == [3, 3]


def test_a_saved_tensor_that_changed_since_is_told_as_overwritten() -> None:
    w = leaf(1, 2)
    trace = record_backward((w * w).sum())
    with torch.no_grad():
        w.mul_(100)
    assert event_named(trace, "MulBackward0").saved["self"] == Overwritten((2,))


def test_saved_numbers_are_told_with_their_sign() -> None:
    w = torch.ones(2, 3, requires_grad=True)
    assert event_named(record_backward(w.sum(-1).sum()), "SumBackward1").saved["dim"] == (-1,)


def test_a_tensor_saved_by_a_hook_is_not_unpacked() -> None:
    unpacked = []
    w = leaf(1, 2)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: unpacked.append(1) or t):
        loss = (w * w).sum()
    trace = record_backward(loss)
    assert isinstance(event_named(trace, "MulBackward0").saved["self"], Unreadable)
    assert len(unpacked) == 2


def test_a_hook_that_changes_the_gradient_in_place_is_told() -> None:
    w = leaf(1, 2)
    hidden = w * 2

    def tenfold(grad: Tensor) -> None:
        grad.mul_(10)

    hidden.register_hook(tenfold)
    trace = record_backward((hidden * 3).sum())
    (hooked,) = (event for event in trace.events if isinstance(event, HookEvent))
    assert hooked.before is not None
    assert hooked.after is not None
    assert (hooked.before.tolist(), hooked.after.tolist()) == ([3, 3], [30, 30])
    assert [grad.tolist() for grad in started(trace)[1].grads_out if grad is not None] == [[3, 3]]


def test_hooks_that_replace_the_gradient_again_and_again_are_told_as_one() -> None:
    w = leaf(1, 2)
    hidden = w * 2
    for _ in range(20):
        hidden.register_hook(lambda grad: grad + 1)
    trace = record_backward((hidden * 3).sum())
    (hooked,) = (event for event in trace.events if isinstance(event, HookEvent))
    assert hooked.after is not None
    assert hooked.after.tolist() == [23, 23]


def test_a_hook_after_the_write_is_told_after_it() -> None:
    w = leaf(1, 2)

    def drop(parameter: Tensor) -> None:
        parameter.grad = None

    w.register_post_accumulate_grad_hook(drop)
    trace = record_backward((w * 3).sum())
    write, hooked = trace.events[-2:]
    assert isinstance(write, NodeEvent)
    assert write.accumulation is not None
    assert write.accumulation.after is not None
    assert write.accumulation.after.tolist() == [3, 3]
    assert isinstance(hooked, HookEvent)
    assert hooked.after is None


def test_events_before_an_error_are_told_and_the_node_that_raised_has_no_gradients_out() -> None:
    w, v = leaf(1, 2), leaf(3, 4)
    trace = record_backward((Fails.apply(w * 2) + v).sum())
    assert str(trace.error) == "on purpose"
    assert ran(trace) == ["SumBackward0", "AddBackward0", "AccumulateGrad", "FailsBackward"]
    assert started(trace)[-1].grads_out is None
    assert [grad.tolist() for grad in started(trace)[-1].grads_in if grad is not None] == [[1, 1]]


def test_a_node_of_pytorchs_own_that_raised_is_told_too() -> None:
    w, v = leaf(1, 2), leaf(3, 4)
    hidden = w * 2
    squared = hidden * hidden
    hidden.add_(1)
    trace = record_backward((squared + v).sum())
    assert "modified by an inplace operation" in str(trace.error)
    assert ran(trace) == ["SumBackward0", "AddBackward0", "AccumulateGrad", "MulBackward0"]
    assert started(trace)[-1].grads_out is None
    assert [grad.tolist() for grad in started(trace)[-1].grads_in if grad is not None] == [[1, 1]]


def test_an_error_of_another_type_is_kept_and_leaves_no_hook() -> None:
    w = leaf(1, 2)
    hidden = w * 2

    def fails(grad: Tensor) -> None:
        raise ValueError("on purpose")

    hidden.register_hook(fails)
    loss = hidden.sum()
    nodes = graph_nodes(loss)
    hooks = hook_count(nodes)
    error = record_backward(loss).error
    assert isinstance(error, ValueError)
    assert str(error) == "on purpose"
    assert_nothing_stays(nodes, hooks)


def test_a_pass_inside_a_pass_is_told_one_deeper() -> None:
    w = leaf(1, 2)
    made = torch.utils.checkpoint.checkpoint(torch.exp, w * 2, use_reentrant=True)
    depths = {event.name: event.depth for event in started(record_backward(made.sum()))}
    assert depths["ExpBackward0"] == 1
    assert depths["MulBackward0"] == 0


def test_a_held_graph_node_records_the_next_pass_once() -> None:
    w = leaf(1, 2)
    kept = graph_nodes((w * 2).sum())
    for _ in range(3):
        assert ran(record_backward((w * 3).sum())) == ["SumBackward0", "MulBackward0", "AccumulateGrad"]
    assert_nothing_stays(kept)


def test_a_loss_of_several_numbers_is_refused() -> None:
    with pytest.raises(NotAScalar):
        record_backward(leaf(1, 2) * 2)


def test_a_loss_without_a_graph_is_refused() -> None:
    with pytest.raises(NoGraph):
        record_backward(torch.ones(()))


def test_a_graph_that_was_used_up_is_refused_in_pytorchs_words() -> None:
    loss = (leaf(1, 2) ** 2).sum() / 2
    record_backward(loss)
    with pytest.raises(GraphFreed, match="second time"):
        record_backward(loss)


def hooks_told(trace: Any) -> list[HookEvent]:
    return [event for event in trace.events if isinstance(event, HookEvent)]


@pytest.mark.parametrize("own", [False, True])
def test_a_hook_of_the_node_itself_is_told_after_what_the_node_made(own: bool) -> None:
    def build() -> tuple[Tensor, Tensor]:
        w = leaf(1, 2)
        made = Doubled.apply(w) if own else w * 2
        made.grad_fn.register_hook(lambda sent, received: (sent[0] * 3, *sent[1:]))
        return (made + w).sum(), w

    plain_loss, plain = build()
    plain_loss.backward()
    loss, w = build()
    nodes = graph_nodes(loss)
    hooks = hook_count(nodes)
    trace = record_backward(loss, names={"w": w})
    assert w.grad is not None
    assert plain.grad is not None
    assert w.grad.tolist() == plain.grad.tolist() == [7, 7]
    product = event_named(trace, "DoubledBackward" if own else "MulBackward0")
    assert [grad.tolist() for grad in product.grads_out or () if grad is not None] == [[2, 2]]
    (hooked,) = hooks_told(trace)
    assert (hooked.sender, hooked.output) == (product.node, 0)
    assert [hooked.before.tolist(), hooked.after.tolist()] == [[2, 2], [6, 6]]
    (paths,) = (event for event in trace.events if isinstance(event, PathsEvent))
    assert sorted(part.tolist() for part in paths.parts) == [[1, 1], [6, 6]]
    assert_nothing_stays(nodes, hooks)


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 2


def test_an_error_in_a_hook_of_the_node_itself_invents_no_further_event() -> None:
    def fails(sent: Any, received: Any) -> None:
        raise RuntimeError("on purpose")

    made = leaf(1, 2) * 2
    assert made.grad_fn is not None
    made.grad_fn.register_hook(fails)
    trace = record_backward(made.sum())
    assert "on purpose" in str(trace.error)
    assert ran(trace) == ["SumBackward0", "MulBackward0"]


def test_in_anomaly_mode_nothing_is_told_after_the_node_that_made_nan() -> None:
    x, v = torch.tensor([[-1.0], [1.0]]), leaf(0.5)
    w = leaf(1)
    with torch.autograd.set_detect_anomaly(True):
        loss = torch.where(x > 0, torch.log(x * w) * v, x * w).mean()
        trace = record_backward(loss, names={"v": v, "w": w})
    assert "returned nan values" in str(trace.error)
    assert v.grad is None
    assert w.grad is None
    assert ran(trace)[-1] in ("MulBackward0", "LogBackward0")
    assert hooks_told(trace) == []
    assert "AccumulateGrad" not in ran(trace)


@pytest.mark.parametrize("where", ["tensor", "before", "after", "leaf"])
def test_a_pass_that_a_hook_starts_is_told_after_the_node_of_the_hook(where: str) -> None:
    w, v = leaf(1, 2), leaf(3)
    made = w * 2
    node = made.grad_fn
    assert node is not None

    def starts(*grads: Any) -> None:
        with torch.enable_grad():
            (v.exp() * 1).sum().backward()

    if where == "tensor":
        made.register_hook(starts)
    elif where == "leaf":
        w.register_hook(starts)
    else:
        (node.register_prehook if where == "before" else node.register_hook)(starts)
    trace = record_backward(made.sum(), names={"w": w, "v": v})
    inner = [(name, 1) for name in ("SumBackward0", "MulBackward0", "ExpBackward0", "AccumulateGrad")]
    parent = ["MulBackward0", "AccumulateGrad"] if where == "leaf" else ["MulBackward0"]
    after = [] if where == "leaf" else ["AccumulateGrad"]
    told = [(event.name, event.depth) for event in started(trace)]
    assert told == [
        ("SumBackward0", 0),
        *((name, 0) for name in parent),
        *inner,
        *((name, 0) for name in after),
    ]


def test_a_write_comes_after_the_write_of_a_pass_that_its_hook_starts() -> None:
    w = leaf(1, 2)

    def starts(grad: Tensor) -> None:
        if grad[0] == 2:
            with torch.enable_grad():
                (w * 5).sum().backward()

    w.register_hook(starts)
    trace = record_backward((w * 2).sum(), names={"w": w})
    writes = [event.accumulation for event in started(trace) if event.accumulation is not None]
    assert [write.after.tolist() for write in writes if write.after is not None] == [[5, 5], [7, 7]]


@pytest.mark.parametrize("layout", [torch.strided, torch.jagged], ids=str)
def test_gradients_of_nested_tensors_are_told_by_their_numbers(layout: torch.layout) -> None:
    first, second = torch.ones(1, 2, requires_grad=True), torch.full((2, 2), 2.0, requires_grad=True)
    layer = torch.nn.Linear(2, 2)
    names = {"first": first, "second": second, **dict(layer.named_parameters())}
    grads = []
    for record in (False, True):
        for parameter in names.values():
            parameter.grad = None
        nested = layer(torch.nested.as_nested_tensor([first * 2, second * 3], layout=layout))
        loss = sum((part**2).sum() for part in (nested + nested.relu()).unbind())
        if record:
            trace = record_backward(loss, names=names)
            for event in trace.events:
                explain(event, trace)
            assert trace.error is None
            assert trace.weight > 0
            assert not hooks_told(trace)
        else:
            loss.backward()
        grads.append([bits(parameter.grad) for parameter in names.values()])
    assert grads[0] == grads[1]
    writes = [event.accumulation for event in started(trace) if event.accumulation is not None]
    assert {write.parameter for write in writes} == set(names)
