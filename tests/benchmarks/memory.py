"""Memory after a long session, over what PyTorch takes by itself (Linux: reads /proc)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.long_session import ACTIONS, EPOCHS, KEYS, resident
from tests.benchmarks.notebook import IMPORT_TORCH
from tests.benchmarks.table import Row
from tests.terminal import Terminal

SESSION = f"{ACTIONS:,} actions and {EPOCHS:,} epochs"


def rows(quick: bool) -> Iterator[Row]:
    """Compare resident memory, with and without a screen."""
    baseline = median(_import_torch() for _ in range(3))
    yield Row(f"memory after {SESSION}, headless, over `{IMPORT_TORCH}`", _headless() - baseline, 60, "MB")
    yield Row(f"memory after {SESSION}, at 120x40, over the same", _with_screen() - baseline, 60, "MB")


def _import_torch() -> float:
    with Terminal([sys.executable, "-c", f"{IMPORT_TORCH}; print('ready'); input()"]) as terminal:
        terminal.wait_for("ready")
        return resident(terminal.process.pid)


def _headless() -> float:
    command = [sys.executable, "-m", "tests.benchmarks.long_session"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _with_screen() -> float:
    with Terminal(columns=120, rows=40) as terminal:
        terminal.wait_for("next: forward")
        for first in range(0, ACTIONS, 8):
            mark = terminal.written
            terminal.send(KEYS[first : first + 8])
            terminal.wait_written(mark)
        terminal.wait_for(f"epochs done {ACTIONS // 8}")
        terminal.settle()
        terminal.send("r")
        terminal.wait_for("how many epochs")
        terminal.send(str(EPOCHS))
        terminal.send("enter")
        terminal.wait_for(f"epochs done {ACTIONS // 8 + EPOCHS:,}")
        terminal.settle()
        return resident(terminal.process.pid)
