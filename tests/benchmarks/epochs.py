"""Many epochs: the trainer against the notebook's own loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import torch

from gradstep import problems
from gradstep.actions import RunEpochs
from gradstep.problem import Problem
from gradstep.session import Session
from tests.benchmarks.notebook import loop_rate, run_bare_loop, run_loop
from tests.benchmarks.table import Row
from tests.terminal import Terminal


def headless_rows(quick: bool) -> Iterator[Row]:
    """Run both by turns in this process, on the same number of threads, and compare every bit.

    The turns are short, since other work on the machine comes and goes.
    """
    ratios = [_headless_ratio("crops", 4_000, run_loop) for _ in range(9 if quick else 31)]
    yield Row(
        "epochs per second, headless / the notebook's loop, same bits", median(ratios), 1.4, at_least=True
    )


def problem_rows(quick: bool) -> Iterator[Row]:
    """Run every built-in problem and its bare loop by turns."""
    for name in problems.names():
        ratios = [_headless_ratio(name, 1_000, run_bare_loop) for _ in range(5 if quick else 15)]
        yield Row(
            f"epochs per second of `run N`, {name} / its bare loop, same bits",
            median(ratios),
            0.9,
            at_least=True,
        )


def screen_rows(quick: bool) -> Iterator[Row]:
    """Run epochs in the real command, by turns with the notebook's loop."""
    count = 40_000 if quick else 200_000
    ratios = []
    with Terminal(columns=80, rows=24) as terminal:
        terminal.wait_for("no loss yet")
        terminal.settle()
        for _ in range(2 if quick else 3):
            before = loop_rate(count // 8)
            run = _screen_rate(terminal, count)
            ratios.append(run / median([before, loop_rate(count // 8)]))
    yield Row("epochs per second, with the screen drawing / the same", median(ratios), 1.1, at_least=True)


def _headless_ratio(name: str, count: int, run_loop: Callable[[Problem, int], float]) -> float:
    plain, again, ours = (problems.load(name) for _ in range(3))
    session = Session(ours)
    before = run_loop(plain, count)
    start = time.perf_counter()
    session.apply(RunEpochs(count))
    seconds = time.perf_counter() - start
    after = run_loop(again, count)
    for one, other in zip(plain.parameters.values(), ours.parameters.values(), strict=True):
        assert torch.equal(one, other), "the runs differ"
    return (before + after) / 2 / seconds


def _screen_rate(terminal: Terminal, count: int) -> float:
    """Give the epochs per second of a run from the start values, until all of it is drawn."""
    terminal.send("0\r")
    terminal.send("r")
    terminal.wait_for("how many epochs")
    terminal.send(str(count))
    terminal.wait_for(str(count))
    mark = terminal.written
    start = time.perf_counter()
    terminal.send("enter")
    while f"epochs done {count:,}" not in terminal.text:
        terminal.read(0.2)
    seconds = terminal.last_output - start
    drawings = terminal.output.count(b" epochs, ", mark)
    assert drawings > seconds, "the run was not drawn"
    return count / seconds
