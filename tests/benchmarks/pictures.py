"""How long the pictures and the gradient check take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import torch
from torch import Tensor

from gradstep import problems
from gradstep.actions import Forward, RunEpochs, StepNode
from gradstep.frame import Frame
from gradstep.session import Session
from gradstep_tui.widgets.pictures.graph import GraphView
from tests.benchmarks.table import Row
from tests.session_strategies import problem


def rows(quick: bool) -> Iterator[Row]:
    """Look at `crops` after 1,000 epochs."""
    session = Session(problems.load("crops"))
    session.apply(RunEpochs(1_000))
    count = 3 if quick else 10
    surfaces = _median(count, lambda: session.pictures().surface())
    yield Row("loss surface of `crops`, 100 x 100, with its path, median", surfaces, 0.5, "s")
    checks = _median(count, session.check_gradient)
    widths = iter(range(76, 200))  # each time another one, since a drawing is kept
    frame = _long_pass()
    graphs = _median(count, lambda: GraphView().lines(frame, next(widths), 22))
    assert frame.backward is not None
    what = f"graph of {len(frame.backward.nodes)} nodes, laid out and drawn, median"
    yield Row(what, graphs, 0.3, "s")
    yield Row("gradient check of `crops`, median", checks, 0.1, "s")


def _long_pass() -> Frame:
    """Give a frame in a pass through 75 steps of a recurrent network."""
    weights = {"w_in": torch.tensor(0.4), "w_back": torch.tensor(0.5)}

    def model(x: Tensor) -> Tensor:
        hidden = torch.zeros(4)
        for step in range(75):
            hidden = torch.tanh(weights["w_in"] * x[:, step] + weights["w_back"] * hidden)
        return hidden

    session = Session(problem(weights, model, torch.ones(4, 75), torch.zeros(4)))
    session.apply(Forward())
    return session.apply(StepNode())


def _median(count: int, do: Callable[[], object]) -> float:
    times = list[float]()
    for _ in range(count):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return median(times)
