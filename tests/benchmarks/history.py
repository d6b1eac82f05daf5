"""Going back in a long session: how long an undo and a jump take, and what the history weighs."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

from gradstep.actions import Action, GoTo, RunEpochs, Undo
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.keys import BY_NAME
from tests.benchmarks.long_session import EPOCH, resident
from tests.benchmarks.table import Row

ACTIONS = 10_000

SESSIONS = {"by hand": EPOCH, "line by line": "fbuz", "epoch by epoch": "e"}
"""What each kind of session repeats."""


def rows(quick: bool) -> Iterator[Row]:
    """Undo and jump in sessions of several kinds, each in a process of its own."""
    for kind in list(SESSIONS)[: 2 if quick else None]:
        command = [sys.executable, "-m", "tests.benchmarks.history", kind]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        undo, jump, memory = map(float, done.stdout.split())
        what = f"{ACTIONS:,} actions, {kind}"
        yield Row(f"undo after {what}, 99th percentile", undo, 50, "ms")
        yield Row(f"jump to any point of {what}, 99th percentile", jump, 50, "ms")
        yield Row(f"history of {what}", memory, 64, "MB")


def main(kind: str) -> None:
    session = open_session(Start())
    session.apply(RunEpochs(3))
    session.apply(Undo())
    before = resident()
    for action in _actions(SESSIONS[kind]):
        session.apply(action)
    undos = sorted(_milliseconds(session, Undo()) for _ in range(2_000))
    draw = random.Random(0)
    jumps = sorted(_milliseconds(session, GoTo(draw.randrange(ACTIONS))) for _ in range(300))
    print(undos[len(undos) * 99 // 100], jumps[len(jumps) * 99 // 100], resident() - before)


def _actions(keys: str) -> Iterator[Action]:
    for key in islice(cycle(keys), ACTIONS):
        action = BY_NAME["upper_s" if key == "S" else key].action
        assert action is not None
        yield action()


def _milliseconds(session, action: Action) -> float:
    start = time.perf_counter()
    session.apply(action)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1])
