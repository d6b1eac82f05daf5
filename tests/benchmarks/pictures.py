"""How long the pictures and the gradient check take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

from engine import problems
from engine.actions import RunEpochs
from engine.session import Session
from tests.benchmarks.table import Row


def rows(quick: bool) -> Iterator[Row]:
    """Look at `crops` after 1,000 epochs."""
    session = Session(problems.load("crops"))
    session.apply(RunEpochs(1_000))
    count = 3 if quick else 10
    surfaces = _median(count, lambda: session.pictures().surface())
    yield Row("loss surface of `crops`, 100 x 100, with its path, median", surfaces, 0.5, "s")
    checks = _median(count, session.check_gradient)
    yield Row("gradient check of `crops`, median", checks, 0.1, "s")


def _median(count: int, do: Callable[[], object]) -> float:
    times = list[float]()
    for _ in range(count):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return median(times)
