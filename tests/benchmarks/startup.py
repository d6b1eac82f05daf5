"""From the command to the first frame, and to a first step that is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.notebook import IMPORT_TORCH
from tests.benchmarks.table import Row
from tests.terminal import Terminal

FIRST_LOSS = "18746.5391"


def rows(quick: bool) -> Iterator[Row]:
    """Start fresh processes, the command and the baseline by turns."""
    _import_torch(), _command()  # both from a warm disk cache
    rounds = [(_import_torch(), *_command()) for _ in range(3 if quick else 11)]
    baseline, first, usable = (median(one) for one in zip(*rounds, strict=True))
    yield Row(f"first full frame / `python -c '{IMPORT_TORCH}'`", first / baseline, 0.5)
    yield Row("`f` pressed at once is done and drawn / the same", usable / baseline, 1.25)


def _import_torch() -> float:
    start = time.perf_counter()
    with Terminal([sys.executable, "-c", IMPORT_TORCH]) as terminal:
        terminal.process.wait()
        return time.perf_counter() - start


def _command() -> tuple[float, float]:
    """Give the seconds to the first frame, and to the outcome of a key pressed then."""
    start = time.perf_counter()
    with Terminal() as terminal:
        terminal.wait_for(lambda text: "quit" in text.rsplit("\n", 1)[-1])
        first = terminal.last_output - start
        terminal.send("f")
        terminal.wait_for(FIRST_LOSS)
        terminal.settle()
        return first, terminal.last_output - start
