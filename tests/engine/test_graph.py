"""The graph of a recorded pass, held against PyTorch's own `next_functions`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from gradstep import problems
from gradstep.actions import Forward, StepNode
from gradstep.autograd.events import ACCUMULATE_GRAD, Edge
from gradstep.autograd.graph import GraphNode
from gradstep.autograd.trace import record_backward
from gradstep.session import Session
from tests.strategies import Graph, graphs


def walked(root: Any) -> dict[Any, list[tuple[Any, int] | None]]:
    """Walk a graph that was not gone through yet; a node that is held stays what it is."""
    found: dict[Any, list[tuple[Any, int] | None]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = [None if to is None else (to, slot) for to, slot in node.next_functions]
            waiting += [edge[0] for edge in found[node] if edge is not None]
    return found


def assert_same_graph(
    nodes: tuple[GraphNode, ...], root: Any, wanted: dict[Any, list[tuple[Any, int] | None]]
) -> None:
    """Walk both together: each node of one stands for one of the other, with the same edges in order."""
    numbers = {root: 0}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        mine, theirs = nodes[numbers[node]], wanted[node]
        assert mine.name == (ACCUMULATE_GRAD if hasattr(node, "variable") else node.name())
        assert len(mine.edges) == len(theirs)
        for edge, other in zip(mine.edges, theirs, strict=True):
            assert (edge is None) == (other is None)
            if edge is not None and other is not None:
                if other[0] not in numbers:
                    numbers[other[0]] = edge.node
                    waiting.append(other[0])
                assert edge == Edge(numbers[other[0]], other[1])
    assert sorted(numbers.values()) == list(range(len(nodes)))


@pytest.mark.parametrize("name", problems.names())
def test_the_graph_of_every_problem_is_that_of_next_functions(name: str) -> None:
    made = problems.load(name)
    loss = made.loss_fn(made.model(made.inputs), made.targets)
    wanted = walked(loss.grad_fn)
    nodes = record_backward(loss, names=made.parameters).nodes
    assert_same_graph(nodes, loss.grad_fn, wanted)
    assert {node.parameter for node in nodes if node.name == ACCUMULATE_GRAD} == set(made.parameters)
    session = Session(problems.load(name))
    for action in (Forward(), StepNode()):
        session.apply(action)
    assert session.frame.backward is not None
    assert session.frame.backward.nodes == nodes


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_the_graph_of_any_program_is_that_of_next_functions(graph: Graph) -> None:
    loss, leaves = graph.build()
    wanted = walked(loss.grad_fn)
    trace = record_backward(loss, names={str(number): leaf for number, leaf in enumerate(leaves)})
    assert_same_graph(trace.nodes, loss.grad_fn, wanted)
    for event in trace.events:
        if hasattr(event, "edges"):
            assert trace.nodes[event.node].edges == event.edges
