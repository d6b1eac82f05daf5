"""Graphs of very many nodes in a row: they are freed without ending the process, and cost no collections."""

from __future__ import annotations

import gc
import os
import resource
import threading
import warnings

import pytest
import torch

from gradstep.autograd.trace import record_backward
from gradstep.tensors.stack import STACK, make_room_for_deep_graphs

MANY = 45_000
"""Nodes in a row that overflow a stack of 8 MiB when they are freed, in PyTorch 2.13."""


def make_and_free_a_deep_graph() -> None:
    total = torch.ones(2, requires_grad=True)
    for _ in range(MANY):
        total = total + 0.0
        assert total.grad_fn is not None  # Python has seen the node


def free_deep_graphs_in_two_threads() -> None:
    make_room_for_deep_graphs()
    make_and_free_a_deep_graph()
    thread = threading.Thread(target=make_and_free_a_deep_graph)
    thread.start()
    thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked, so that it alone may crash")
def test_a_graph_of_45_000_nodes_in_a_row_is_freed_without_ending_the_process() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child starts no other thread's work
        child = os.fork()
    if child == 0:
        free_deep_graphs_in_two_threads()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_stacks_are_only_ever_enlarged_and_no_limit_of_the_system_is_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[tuple[int, int]]()
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: asked.append(limits))
    before = threading.stack_size(2 * STACK)
    try:
        for limits in (
            (8 << 20, resource.RLIM_INFINITY),
            (8 << 20, 16 << 20),
            (2 * STACK, resource.RLIM_INFINITY),
            (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
        ):
            monkeypatch.setattr(resource, "getrlimit", lambda kind, limits=limits: limits)
            make_room_for_deep_graphs()
    finally:
        assert threading.stack_size(before) == 2 * STACK
    assert asked == [(STACK, resource.RLIM_INFINITY), (16 << 20, 16 << 20)]


@pytest.mark.parametrize("raises", [False, True])
def test_the_garbage_collector_rests_while_a_pass_is_recorded_and_no_longer(raises: bool) -> None:
    leaf, seen = torch.ones(2, requires_grad=True), list[bool]()

    def look(grad: torch.Tensor) -> None:
        seen.append(gc.isenabled())
        if raises:
            raise ValueError

    leaf.register_hook(look)
    trace = record_backward((leaf * 2).sum())
    assert seen == [False]
    assert gc.isenabled()
    assert trace.events
    assert gc.isenabled()
