"""A model that takes long, or for ever: the bench stays alive, can stop it, and can always be left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.terminal import GRADSTEP, Terminal, environment

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


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command on the endless script in the folder, with pipes, and wait until its loop begins."""
    path, mark = folder / "model.py", folder / "begun"
    body = f"calls == 4 and open({str(mark)!r}, 'w').close(); calls = 5"
    path.write_text(ENDLESS.replace("pass", body))
    os.mkfifo(mark)
    command = [*GRADSTEP, *(str(path) if argument == "SCRIPT" else argument for argument in arguments)]
    env = environment({"XDG_STATE_HOME": str(folder / "state"), "TERM": "dumb"})
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=env, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)
    if "--plain" in arguments:
        assert process.stdin is not None
        process.stdin.write("forward\n" * 6)
        process.stdin.flush()
    mark.open().close()  # waits for the script
    return process


def test_one_ctrl_c_ends_a_run_without_a_screen(tmp_path: Path) -> None:
    with begun(tmp_path, "run", "SCRIPT", "--epochs", "1000") as process:
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=SOON)
        assert process.returncode == 130
        assert "Traceback" not in text


def test_one_ctrl_c_stops_a_loop_that_never_ends_in_plain_mode(tmp_path: Path) -> None:
    with begun(tmp_path, "--plain", "SCRIPT") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        while "nothing has changed" not in (line := process.stdout.readline()):
            assert line
        process.kill()
