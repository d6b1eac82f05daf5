"""What recording adds to one pass, in time and in memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from statistics import median

import torch

from gradstep.actions import Backward, Forward
from gradstep.autograd.source_map import watch_forward
from gradstep.autograd.trace import Trace, record_backward
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep.tensors.malloc import keep_freed_memory
from tests.benchmarks.models import MODELS
from tests.benchmarks.table import Row

PASSES = {"crops": 200, "10 million parameters": 2}
"""How many passes are timed at once; 20 for the others."""

TINY = 2.5
"""The bound for `crops`, whose numbers take no time beside Python's; it is 2 for all others."""


def rows(quick: bool) -> Iterator[Row]:
    """Time plain and recorded passes by turns, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed_memory()  # as the trainer does when it has loaded, and so do both here
    gc.freeze()
    try:
        for name, make in MODELS.items():
            problem = make()
            ratios = [_ratio(problem, PASSES.get(name, 20)) for _ in range(9 if quick else 21)]
            what = f"recording one pass / a plain forward and backward, {name}, one thread"
            yield Row(what, median(ratios), TINY if name == "crops" else 2.0)
    finally:
        torch.set_num_threads(threads)


def weight_rows(quick: bool) -> Iterator[Row]:
    """Compare what a trace holds with the gradients that its pass made."""
    for name, make in list(MODELS.items())[1:]:
        session = Session(make())
        session.apply(Forward())
        session.apply(Backward())
        assert session.state.passing is not None
        trace = session.state.passing.trace
        made = {}
        for event in trace.events:
            for grad in (*getattr(event, "grads_in", ()), *(getattr(event, "grads_out", None) or ())):
                if grad is not None:
                    made[grad.data_ptr(), tuple(grad.shape)] = grad.nbytes
        yield Row(
            f"bytes that a trace holds / its pass's gradients, {name}", trace.weight / sum(made.values()), 1.5
        )


def _ratio(problem: Problem, count: int) -> float:
    plain = _seconds(_plain, problem, count)
    return _seconds(_recorded, problem, count) / plain


def _seconds(one_pass: Callable[[Problem], object], problem: Problem, count: int) -> float:
    for parameter in problem.parameters.values():
        parameter.grad = None
    one_pass(problem)
    start = time.perf_counter()
    for _ in range(count):
        one_pass(problem)
    return time.perf_counter() - start


def _plain(problem: Problem) -> None:
    problem.loss_fn(problem.model(problem.inputs), problem.targets).backward()


def _recorded(problem: Problem) -> Trace:
    with watch_forward() as sources:
        loss = problem.loss_fn(problem.model(problem.inputs), problem.targets)
    return record_backward(loss, names=problem.parameters, sources=sources)
