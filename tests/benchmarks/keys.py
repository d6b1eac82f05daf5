"""From a key to the finished redraw, and the bytes that a redraw takes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from statistics import median, quantiles

from tests.benchmarks.table import Row
from tests.terminal import Terminal

PASS = ("f", *["s"] * 9, *["S"] * 3, *["s"] * 3, "b", "u", "z")
"""One epoch by hand, with some steps back."""

OTHERS = ("space", "s", "s", "space", "space", "space", "e", *"[]ZZ", "left", "left", "right")
"""The loop line by line, an epoch, settings, and back and forth in time."""

SEQUENCE = (*PASS, *PASS, *OTHERS)

QUIET = 0.1
"""Seconds without output after which a redraw counts as finished."""

_CONTROL = re.compile(rb"\x1b\[[0-9;?<>=$]*[A-Za-z]|\x1b[^\[]|[\x00-\x1f]")


def latency_rows(quick: bool) -> Iterator[Row]:
    """Press keys one after the other, each when the last one's redraw is finished."""
    times = []
    with _ready(120, 40) as terminal:
        for _ in range(2 if quick else 8):
            times += [press(terminal, key) for key in SEQUENCE]
    yield Row("key to finished redraw at 120x40, median", 1000 * median(times), 16, "ms")
    yield Row(
        "key to finished redraw at 120x40, 99th percentile", 1000 * quantiles(times, n=100)[98], 33, "ms"
    )


def output_rows(quick: bool) -> Iterator[Row]:
    """Step through whole passes and count what each `s` writes."""
    steps = []
    with _ready(80, 24) as terminal:
        for _ in range(2 if quick else 8):
            for key in ("f", *["s"] * 11, "u", "z"):
                mark = terminal.written
                press(terminal, key)
                if key == "s":
                    steps.append(bytes(terminal.output[mark:]))
    yield Row("output of a single step (`s`) at 80x24, median", median(map(len, steps)), 1500, "bytes")
    most = max(map(_cells, steps)) / (80 * 24)
    yield Row("largest part of the screen that one step writes (1 is a full repaint)", most, 0.6)


def stop_rows(quick: bool) -> Iterator[Row]:
    """Press Escape in the middle of runs of a million epochs."""
    times = []
    with _ready(80, 24) as terminal:
        for number in range(5 if quick else 20):
            terminal.send("r1000000\r")
            terminal.wait_for("Esc stops")
            pressed = time.perf_counter() + 0.5 + 0.037 * number
            while time.perf_counter() < pressed:
                terminal.read(0.02)
            start = time.perf_counter()
            terminal.send("escape")
            terminal.wait_for("stopped after")
            times.append(terminal.last_output - start)
            terminal.send("left")
    yield Row("Escape to a stopped run of epochs, at 80x24, largest", 1000 * max(times), 100, "ms")


def _ready(columns: int, rows: int) -> Terminal:
    terminal = Terminal(columns=columns, rows=rows)
    terminal.wait_for("no loss yet" if rows < 36 else "next: forward")
    terminal.settle(0.5)
    return terminal


def press(terminal: Terminal, key: str) -> float:
    """Press a key; give the seconds to the last byte of its redraw."""
    mark = terminal.written
    start = time.perf_counter()
    terminal.send(" " if key == "space" else key)
    terminal.wait_written(mark)
    terminal.settle(QUIET)
    return terminal.last_output - start


def _cells(output: bytes) -> int:
    """Give the number of cells that output fills."""
    return len(_CONTROL.sub(b"", output).decode("utf-8", "replace"))
