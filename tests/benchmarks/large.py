"""A model with 10 million parameters: its keys beside those of `crops`, in the real command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import Final

from tests.benchmarks.keys import press
from tests.benchmarks.models import LARGE
from tests.benchmarks.table import Row
from tests.terminal import GRADSTEP, Terminal

GROUPS: Final = (
    ("node by node (`s`, `S`)", "fsss", "ssssSSsSSS"),
    ("undo and redo of steps in a pass", "", ("left", "left", "right", "right", "left", "right")),
    (
        "the loop's cursor, its edits, the learning rate",
        "b",
        ("down", "J", "K", "#", "#", "[", "]", "Z", "Z", "escape"),
    ),
)
"""The keys that have to take no longer than on `crops`, and those before them, which are not timed: a whole
pass of a large model is PyTorch's own work."""


def rows(quick: bool) -> Iterator[Row]:
    """Press the same keys on both by turns."""
    for columns, lines in ((80, 24), (120, 40)):
        with ExitStack() as stack:
            both = [
                stack.enter_context(Terminal((*GRADSTEP, *what), columns=columns, rows=lines))
                for what in ((), (str(LARGE),))
            ]
            for terminal in both:
                terminal.wait_for(lambda text: "epochs done 0" in text and "next: forward" in text)
                terminal.settle(0.5)
            for group, before, keys in GROUPS:
                for key in before:
                    for terminal in both:
                        press(terminal, key)
                ratio = _ratio(*both, keys, 1 if quick else 4)
                what = f"10 million parameters / crops, key to finished redraw at {columns}x{lines}, {group}"
                yield Row(what, ratio, 2)


def _ratio(small: Terminal, large: Terminal, keys: str | tuple[str, ...], rounds: int) -> float:
    times: dict[Terminal, list[float]] = {small: [], large: []}
    for _ in range(rounds):
        for key in keys:
            for terminal in (small, large):
                times[terminal].append(press(terminal, key))
    return median(times[large]) / median(times[small])
