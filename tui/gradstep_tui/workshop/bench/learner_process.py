"""What becomes of a copy of the warm process: one learner's bench, on a terminal of its own."""

from __future__ import annotations

import fcntl
import io
import os
import random
import signal
import socket
import sys
import tempfile
import termios
from collections.abc import Mapping
from contextlib import suppress

from gradstep_tui.workshop.bench.rlimits import take_limits


async def rehearse() -> None:
    """Be a learner's bench without a terminal for a while: a copy then has little left to load or change."""
    from gradstep.start import Start
    from gradstep_tui.workshop.bench.app import ClassApp
    from gradstep_tui.workshop.bench.session.autosave import make_ready
    from gradstep_tui.workshop.bench.session.server_link import Link
    from gradstep_tui.workshop.wire.messages import Welcome

    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory() as folder:
        app = ClassApp(Link(theirs), Welcome("nobody", "learner", Start(), exports=folder), ascii_only=False)
        async with app.run_test(size=(100, 30)) as pilot:
            while app.bench.frame is None:
                await pilot.pause(0.01)
            await pilot.press("f", *["s"] * 11, "u", "z", "e", "left", "right", "R")
            await pilot.pause()
            ours.close()
    make_ready()


def live(environment: Mapping[str, str], terminal: int, line: int) -> int:
    """Be a learner's bench until it is left; gives the exit status.

    Args:
        environment: What is known of the learner's terminal.
        terminal: The end of the pseudo-terminal that is the bench's.
        line: The socket to the server.
    """
    _take_terminal(terminal)
    line = _close_others(line)
    _take_environment(environment)
    take_limits()
    _be_somebody_else()
    from gradstep_tui.workshop.bench.app import run

    return run(socket.socket(fileno=line))


def _take_terminal(terminal: int) -> None:
    """Have the terminal control this process: then it gets a hangup when the terminal is closed."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for standard in (0, 1, 2):
        os.dup2(terminal, standard)
    for name, standard, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        file = io.FileIO(standard, mode, closefd=False)
        buffered = io.BufferedReader(file) if mode == "r" else io.BufferedWriter(file)
        stream = io.TextIOWrapper(buffered, "utf-8", "replace", write_through=mode == "w")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _close_others(line: int) -> int:
    """Keep the terminal and the line only; gives the line's new number."""
    os.dup2(line, 3)
    os.closerange(4, 256)
    os.set_inheritable(3, False)
    return 3


def _take_environment(environment: Mapping[str, str]) -> None:
    """Have the client's, and nothing of the server's: what that is for is loaded already."""
    os.environ.clear()
    os.environ.update(environment)
    import locale

    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "")


def _be_somebody_else() -> None:
    """Have random numbers of one's own: copies of a process draw the same ones."""
    import torch

    seed = int.from_bytes(os.urandom(7), "big")
    random.seed(seed)
    torch.default_generator.manual_seed(seed)  # `torch.manual_seed` goes through every kind of device
