"""A model that takes long, or for ever: the bench stays alive, can stop it, and can always be left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.terminal import GRADSTEP, Terminal

SCRIPT: Final = """
import time
import torch
from torch import nn
torch.manual_seed(0)
X, y = torch.randn(12, 3), torch.randn(12, 1)
net = nn.Linear(3, 1)
criterion = nn.MSELoss()
lr = 0.01
calls = 0


def model(x):
    global calls
    calls += 1
    while calls > 3:
        BODY
    return net(x)
"""

ENDLESS: Final = SCRIPT.replace("BODY", "pass")
STUCK: Final = SCRIPT.replace("BODY", "time.sleep(1e6)")

SOON: Final = 10.0
"""Seconds within which the program has to leave; it takes one, but the machine may be busy."""


@contextmanager
def running(script: str, folder: Path) -> Iterator[Terminal]:
    """Open the bench on a script, and press `f` until a forward pass does not end."""
    path = folder / "model.py"
    path.write_text(script)
    with Terminal((*GRADSTEP, str(path)), env={"XDG_STATE_HOME": str(folder / "state")}) as terminal:
        terminal.wait_for(lambda text: "epochs done 0" in text and "next: forward" in text)
        terminal.send("ffffff")
        terminal.wait_for("running: forward")
        yield terminal


def left(terminal: Terminal, since: float) -> int:
    """Wait until the program has left, soon and with the terminal as it was; return its exit code."""
    code = terminal.wait_exit()
    assert time.monotonic() - since < SOON
    assert terminal.attributes == terminal.attributes_before
    return code


def saved(folder: Path) -> str:
    """Return the text of the only session file."""
    (file,) = (folder / "state").rglob("*.jsonl")
    return file.read_text()


def test_escape_stops_a_loop_that_never_ends_and_the_session_goes_on(tmp_path: Path) -> None:
    with running(ENDLESS, tmp_path) as terminal:
        terminal.send("escape")
        terminal.wait_for("nothing has changed")
        terminal.send("]")
        terminal.wait_for(lambda text: "nothing has changed" not in text)
        terminal.send("f")
        terminal.wait_for("running: forward")
        since = time.monotonic()
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert left(terminal, since) == 128 + signal.SIGTERM
    assert "RaiseLearningRate" in saved(tmp_path)


def test_code_outside_python_is_said_not_to_stop_and_q_leaves(tmp_path: Path) -> None:
    with running(STUCK, tmp_path) as terminal:
        terminal.send("escape")
        terminal.wait_for("does not stop")
        since = time.monotonic()
        terminal.send("q")
        assert left(terminal, since) == 0


@pytest.mark.parametrize("how", ["ctrl+c", "SIGHUP"])
def test_a_loop_that_never_ends_can_be_left(how: str, tmp_path: Path) -> None:
    with running(ENDLESS, tmp_path) as terminal:
        since = time.monotonic()
        if how == "ctrl+c":
            terminal.send(how)
        else:
            os.kill(terminal.process.pid, signal.Signals[how])
        left(terminal, since)
