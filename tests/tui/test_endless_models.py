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

from tests import preloaded
from tests.terminal import GRADSTEP, Terminal, environment
from tests.tui.test_terminal import given_back, left_behind

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
    with Terminal(
        (*GRADSTEP, str(path)), env={"XDG_STATE_HOME": str(folder / "state")}, preloaded=True
    ) as terminal:
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


@contextmanager
def begun(folder: Path, *arguments: str, body: str = "calls = 5") -> Iterator[preloaded.Piped]:
    """Start the command on an endless script in the folder, with pipes, and wait until its loop begins."""
    path, mark = folder / "model.py", folder / "begun"
    body = f"calls == 4 and open({str(mark)!r}, 'w').close(); {body}"
    path.write_text(ENDLESS.replace("pass", body))
    os.mkfifo(mark)
    command = [*GRADSTEP, *(str(path) if argument == "SCRIPT" else argument for argument in arguments)]
    env = environment({"XDG_STATE_HOME": str(folder / "state"), "TERM": "dumb"})
    with preloaded.started(command, env=env) as process:
        if "--plain" in arguments:
            process.stdin.write(b"forward\n" * 6)
        mark.open().close()  # waits for the script
        yield process


def ended(process: preloaded.Piped) -> str:
    """Wait until the process has ended, soon; return what it had written."""
    process.wait(SOON)
    return (process.stdout.read() + process.stderr.read()).decode()


def test_one_ctrl_c_ends_a_run_without_a_screen(tmp_path: Path) -> None:
    with begun(tmp_path, "run", "SCRIPT", "--epochs", "1000") as process:
        process.send_signal(signal.SIGINT)
        text = ended(process)
        assert process.returncode == 130
        assert "Traceback" not in text


def test_one_ctrl_c_stops_a_loop_that_never_ends_in_plain_mode(tmp_path: Path) -> None:
    with begun(tmp_path, "--plain", "SCRIPT") as process:
        process.send_signal(signal.SIGINT)
        while b"nothing has changed" not in (line := process.stdout.readline()):
            assert line


# Code that keeps the interpreter to itself: no other thread of the process runs

HOLDING: Final = SCRIPT.replace("BODY", "sum(range(10**12))")

HELD: Final = """calls = 3; import ctypes
        ctypes.PyDLL(None).system(f"read x < {WAITING}".encode())
        break
"""
"""Waits for the test in one call that lets no other thread run: what the test can open is already held."""


@pytest.mark.parametrize("how", ["q", "ctrl+c", "SIGTERM"])
def test_code_that_lets_nothing_else_run_can_be_left(how: str, tmp_path: Path) -> None:
    path, mark = tmp_path / "model.py", tmp_path / "begun"
    os.mkfifo(mark)
    path.write_text(HOLDING.replace("sum(", f"open({str(mark)!r}, 'w').close(); sum("))
    with Terminal(
        (*GRADSTEP, str(path)), env={"XDG_STATE_HOME": str(tmp_path / "state")}, preloaded=True
    ) as terminal:
        terminal.wait_for(lambda text: "epochs done 0" in text and "next: forward" in text)
        terminal.send("fff")
        mark.open().close()  # waits for the script
        if not how.startswith("SIG"):
            terminal.send("escape")  # which may have been read already when the code begins
            terminal.wait_for("cannot be stopped: q or ctrl+c leaves")
        since = time.monotonic()
        if how.startswith("SIG"):
            terminal.signal(signal.Signals[how])
        else:
            terminal.send(how)
        assert left(terminal, since) == -signal.SIGKILL
        assert given_back(terminal)
        assert "gradstep resume" in left_behind(terminal)
    assert saved(tmp_path).count('"Forward"') == 2


def test_what_keys_may_do_while_nothing_runs_is_said_until_the_code_has_ended(tmp_path: Path) -> None:
    path, waiting = tmp_path / "model.py", tmp_path / "waiting"
    os.mkfifo(waiting)
    path.write_text(SCRIPT.replace("BODY", HELD.replace("WAITING", repr(str(waiting)))))
    with Terminal(
        (*GRADSTEP, str(path)), env={"XDG_STATE_HOME": str(tmp_path / "state")}, preloaded=True
    ) as terminal:
        terminal.wait_for(lambda text: "epochs done 0" in text and "next: forward" in text)
        terminal.send("fff")
        with waiting.open("w") as release:
            terminal.send("escape")
            terminal.wait_for("cannot be stopped: q or ctrl+c leaves")
            release.write(".")
        terminal.wait_for(lambda text: "cannot be stopped" not in text and "q quit" in text)
        terminal.send("q")
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize("arguments", [("run", "SCRIPT", "--epochs", "9"), ("--plain", "SCRIPT")])
def test_one_ctrl_c_ends_code_that_lets_nothing_else_run(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with begun(tmp_path, *arguments, body="sum(range(10**12))") as process:
        process.send_signal(signal.SIGINT)
        text = ended(process)
        # It may have been heard before the code began.
        assert process.returncode in (-signal.SIGKILL, 130)
        assert "could not be stopped" in text or process.returncode == 130
        assert "Traceback" not in text
