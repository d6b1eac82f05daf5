"""Turns a forked process into one learner's bench, on a terminal of its own."""

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

from gradstep_tui.workshop.bench.rlimits import apply_limits


async def rehearse() -> None:
    """Run a bench without a terminal for a moment, so that a forked process has little left to load."""
    from gradstep.start import Start
    from gradstep_tui.workshop.bench.app import WorkshopApp
    from gradstep_tui.workshop.bench.session.autosave import make_sessions
    from gradstep_tui.workshop.bench.session.server_link import ServerLink
    from gradstep_tui.workshop.wire.messages import Welcome

    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory() as folder:
        welcome = Welcome(name="nobody", role="learner", start=Start(), exports=folder)
        app = WorkshopApp(ServerLink(theirs), welcome, ascii_only=False)
        async with app.run_test(size=(100, 30)) as pilot:
            while app.bench.frame is None:
                await pilot.pause(0.01)
            await pilot.press("f", *["s"] * 11, "u", "z", "e", "left", "right", "R")
            await pilot.pause()
            ours.close()
    make_sessions()


def run_bench(environment: Mapping[str, str], terminal: int, line: int) -> int:
    """Run a learner's bench until the learner leaves it; return the exit status.

    Args:
        environment: Environment variables that describe the learner's terminal.
        terminal: Descriptor of the bench's end of the pseudo-terminal.
        line: Descriptor of the socket to the server.
    """
    _take_terminal(terminal)
    line = _close_others(line)
    _replace_environment(environment)
    apply_limits()
    _reseed()
    from gradstep_tui.workshop.bench.app import run

    return run(socket.socket(fileno=line))


def _take_terminal(terminal: int) -> None:
    """Make the terminal the controlling one, so that the process gets a hangup when it is closed."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for descriptor in (0, 1, 2):
        os.dup2(terminal, descriptor)
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        file = io.FileIO(descriptor, mode, closefd=False)
        buffered = io.BufferedReader(file) if mode == "r" else io.BufferedWriter(file)
        stream = io.TextIOWrapper(buffered, "utf-8", "replace", write_through=mode == "w")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _close_others(line: int) -> int:
    """Close all descriptors except the terminal's and the socket's; return the socket's new number."""
    os.dup2(line, 3)
    os.closerange(4, 256)
    os.set_inheritable(3, False)
    return 3


def _replace_environment(environment: Mapping[str, str]) -> None:
    """Set the client's environment variables; the server's own have done their work at import time."""
    os.environ.clear()
    os.environ.update(environment)
    import locale

    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "")


def _reseed() -> None:
    """Seed the random number generators: forked processes would all draw the same numbers."""
    import torch

    seed = int.from_bytes(os.urandom(7), "big")
    random.seed(seed)
    torch.default_generator.manual_seed(seed)  # `torch.manual_seed` would initialize every kind of device
