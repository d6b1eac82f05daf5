"""From the key that asks to the question, and what asking costs beside the step that is asked about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from statistics import median

import torch
from torch import Tensor

from gradstep.actions import NextLine, RunEpochs
from gradstep.errors import Refused
from gradstep.session import Session
from tests.benchmarks.keys import press
from tests.benchmarks.table import Row
from tests.session_strategies import problem
from tests.terminal import Terminal

WIDTH = 512

STEPS = 12
"""Lines of the loop that are asked about, one after the other."""


def rows(quick: bool) -> Iterator[Row]:
    """Ask about one line after the other on screen, and without one."""
    yield Row("question after its key at 80x24, median", 1000 * median(_on_screen(quick)), 50, "ms")
    ratio = median(_beside_the_step(4 if quick else 12))
    yield Row("asking about a line / running it (2 million parameters), median", ratio, 2)


def _on_screen(quick: bool) -> Iterator[float]:
    with Terminal(columns=80, rows=24) as terminal:
        terminal.wait_for("no loss yet")
        terminal.settle(0.5)
        for key in ("Z", "e", "Y", "escape"):  # the first question imports its dialog
            press(terminal, key)
        for _ in range(STEPS if quick else 4 * STEPS):
            yield press(terminal, "Y")
            for key in ("escape", "space"):
                press(terminal, key)


def _beside_the_step(rounds: int) -> Iterator[float]:
    """Yield the time of a question as a part of the time of the line that is asked about."""
    draw = torch.Generator().manual_seed(0)
    weights = {f"w{number}": torch.randn(WIDTH, WIDTH, generator=draw) / WIDTH**0.5 for number in range(8)}

    def model(x: Tensor) -> Tensor:
        for weight in weights.values():
            x = torch.tanh(x @ weight.t())
        return x

    samples = torch.randn(256, WIDTH, generator=draw)
    session = Session(problem(weights, model, samples, samples.flip(0)), rate=10.0)
    session.apply(RunEpochs(1))
    for _ in range(rounds):
        for _ in range(4):
            with suppress(Refused):
                asking = _timed(session.ask)
                yield asking / _timed(lambda: session.apply(NextLine()))


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start
