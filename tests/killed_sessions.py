"""Trains and saves in child processes that are killed at random moments; prints what each had finished.

A process of its own: it has PyTorch loaded once, and children that are forked from it start at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from itertools import cycle
from pathlib import Path

import torch

from gradstep.actions import (
    Action,
    Forward,
    RunEpochs,
    StepNode,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
)
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start
from tests.saved_sessions import PLAIN, act
from tests.session_strategies import edits_to

MOST = 40
"""Actions finished before the kill, at the most: counted, so that a busy machine kills no earlier."""

LONGEST = 0.02
"""Seconds from then to the kill, at the most: about what two actions take."""


def digest(session: Session) -> str:
    """Give the bits of a session's parameters and gradients, by other means than the file's."""
    found = hashlib.sha256()
    for one in session.frame.parameters:
        for tensor in (one.value, one.grad):
            found.update(b"None" if tensor is None else tensor.contiguous().numpy().tobytes())
    found.update(str((session.frame.loss, session.frame.epoch)).encode())
    return found.hexdigest()[:16]


def some_actions(seed: int) -> list[Action]:
    draw = random.Random(seed)
    more = [RunEpochs(draw.randint(1, 60)), Forward(), StepNode(), StepNode(), Update(), Undo()]
    edits = [ToggleZeroing(), ToggleStatement(Kind.UPDATE), *edits_to([Kind.ZERO, Kind.FORWARD])]
    actions = [*PLAIN, *more * 3, *edits]
    draw.shuffle(actions)
    return actions


def train(path: Path, seed: int, report: int) -> None:
    """Train until killed; an action is finished when it is written, and reported then."""
    start = Start("crops", seed)
    session = open_session(start)
    writer = SessionWriter.new([path], start)
    writer.follow(session)
    for action in cycle(some_actions(seed)):
        before = session.state
        act(session, action, writer)
        if session.state is not before:
            assert writer.flush(60)
            os.write(report, digest(session).encode() + b"\n")


def kill_one(path: Path, seed: int, actions: int, seconds: float) -> list[str]:
    """Let a child finish some actions and go on for a moment; give what it had reported by its end."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            train(path, seed, write)
        finally:
            os._exit(1)
    os.close(write)
    with open(read, "rb") as reports:
        told = b"".join(reports.readline() for _ in range(actions))
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        told += reports.read()
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the child ended by itself"
    return told.decode().split()


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    draw = random.Random(os.environ.get("CI") or time.time_ns())
    for number in range(count):
        path = folder / f"{number}.jsonl"
        finished = kill_one(path, number, draw.randint(0, MOST), draw.uniform(0, LONGEST))
        print(json.dumps([path.name, finished]), flush=True)


if __name__ == "__main__":
    main()
