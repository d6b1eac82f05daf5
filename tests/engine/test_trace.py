from __future__ import annotations

import torch
from hypothesis import HealthCheck, given, settings

from tests.engine.recording_checks import same_as_plain
from tests.strategies import Graph, graphs

OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@OFTEN
@given(graphs())
def test_a_recorded_pass_leaves_the_same_bits_and_tells_one_story(graph: Graph) -> None:
    same_as_plain(graph.build, ordered=False)


@settings(OFTEN, max_examples=40)
@given(graphs())
def test_nodes_are_told_in_the_order_of_an_unrecorded_run(graph: Graph) -> None:
    same_as_plain(graph.build)


@settings(OFTEN, max_examples=40)
@given(graphs())
def test_a_pass_that_builds_a_graph_leaves_the_same_bits(graph: Graph) -> None:
    same_as_plain(graph.build, ordered=False, create_graph=True)


@settings(OFTEN, max_examples=40)
@given(graphs())
def test_a_second_pass_through_a_retained_graph_leaves_the_same_bits(graph: Graph) -> None:
    def build() -> tuple[torch.Tensor, list[torch.Tensor]]:
        loss, leaves = graph.build()
        loss.backward(retain_graph=True)
        return loss, leaves

    same_as_plain(build, ordered=False, retain_graph=True)
