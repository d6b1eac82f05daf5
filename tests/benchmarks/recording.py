"""What recording adds to one pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import torch

from engine import problems
from engine.problem import Problem
from engine.sources import watch_forward
from engine.trace import record_backward
from tests.benchmarks.table import Row


def rows(quick: bool) -> Iterator[Row]:
    """Time plain and recorded passes by turns, on one thread."""
    problem = problems.load("crops")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ratios = [_ratio(problem, 200) for _ in range(9 if quick else 41)]
    finally:
        torch.set_num_threads(threads)
    yield Row("recording one pass / a plain forward and backward, crops, one thread", median(ratios), 2.5)


def _ratio(problem: Problem, count: int) -> float:
    plain = _seconds(_plain, problem, count)
    return _seconds(_recorded, problem, count) / plain


def _seconds(one_pass: Callable[[Problem], None], problem: Problem, count: int) -> float:
    for parameter in problem.parameters.values():
        parameter.grad = None
    one_pass(problem)
    start = time.perf_counter()
    for _ in range(count):
        one_pass(problem)
    return time.perf_counter() - start


def _plain(problem: Problem) -> None:
    problem.loss_fn(problem.model(problem.inputs), problem.targets).backward()


def _recorded(problem: Problem) -> None:
    with watch_forward() as sources:
        loss = problem.loss_fn(problem.model(problem.inputs), problem.targets)
    record_backward(loss, names=problem.parameters, sources=sources)
