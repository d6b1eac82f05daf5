"""Graphs of many nodes: the time that a recorded pass takes for each node, and a step inside the pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

import torch
from torch import Tensor

from gradstep.actions import Action, Backward, Forward, StepNode, StepNodeBack, StepTo
from gradstep.problem import Problem
from gradstep.session import Session
from tests.benchmarks.table import Row

FEW: Final = 1_000
MANY: Final = 30_000
MOST: Final = 100_000
"""Numbers of additions in a row."""


def rows(quick: bool) -> Iterator[Row]:
    """Record passes through graphs of different sizes, and step through the largest."""
    few = _pass_seconds(FEW, 8) / FEW
    for many in (MANY,) if quick else (MANY, MOST):
        ratio = _pass_seconds(many, 2) / many / few
        yield Row(f"recorded pass of {many:,} nodes / of {FEW:,}, processor time for each node", ratio, 2)
    yield Row(f"step in a pass of {MANY:,} nodes, to the frame, median", _step_ms(MANY), 100, "ms")


def _session(length: int) -> Session:
    w = torch.tensor([0.5, -0.25], requires_grad=True)

    def model(x: Tensor) -> Tensor:
        h = x * w
        for _ in range(length):
            h = h + 0.0
        return h

    problem = Problem(
        name="deep",
        parameters={"w": w},
        inputs=torch.ones(2),
        targets=torch.zeros(2),
        model=model,
        loss_fn=torch.nn.functional.mse_loss,
        loss_name="mse_loss",
        labels={"w": ((),)},
        learning_rate=0.01,
    )
    return Session(problem)


def _pass_seconds(length: int, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        session = _session(length)
        session.apply(Forward())
        times.append(_seconds(session, Backward(), time.thread_time))
    return min(times)


def _step_ms(length: int) -> float:
    session = _session(length)
    for action in (Forward(), StepNode(), StepTo(length // 2)):
        session.apply(action)
    return 1000 * median(_seconds(session, action) for action in (*[StepNode()] * 9, *[StepNodeBack()] * 5))


def _seconds(session: Session, action: Action, clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    session.apply(action)
    return clock() - start
