"""Signals that end the command give the terminal back, and it can be suspended at any moment."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from gradstep_tui.terminal.terminal_signals import ending_signals
from tests.terminal import Terminal, TooLongError
from tests.tui.test_terminal import READY, given_back

ENDING = ("SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGRTMIN")
CRASHING = ("SIGSEGV", "SIGABRT", "SIGKILL")


def state(terminal: Terminal) -> str:
    """Return the kernel's letter for the state of the command: T if it is suspended."""
    return Path(f"/proc/{terminal.process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until_suspended(terminal: Terminal) -> None:
    end = time.monotonic() + 60
    while state(terminal) != "T":
        if time.monotonic() > end:
            raise TooLongError("it was not suspended")
        terminal.read(0.01)
    terminal.settle(0.02)


@pytest.mark.parametrize("name", ENDING)
def test_every_ending_signal_gives_the_terminal_back(name: str) -> None:
    number = getattr(signal, name)
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.signal(number)
        assert terminal.wait_exit() == 128 + number
        assert given_back(terminal)


@pytest.mark.parametrize("name", CRASHING)
def test_a_crash_gives_the_terminal_back(name: str) -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.signal(getattr(signal, name))
        assert terminal.wait_exit() == -getattr(signal, name)
        end = time.monotonic() + 30
        while not given_back(terminal):
            assert time.monotonic() < end
            terminal.read(0.01)


def test_all_signals_that_would_end_the_process_are_known() -> None:
    names = {signal.Signals(number).name for number in ending_signals() if number < 32}
    assert {"SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF"} <= names
    assert not names & {"SIGKILL", "SIGSTOP", "SIGTSTP", "SIGCONT", "SIGCHLD", "SIGWINCH", "SIGSEGV"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells the state of a process")
def test_it_is_suspended_and_continued_at_any_moment() -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("r1000000\r")
        terminal.wait_for("Esc stops")
        for _ in range(4):
            terminal.signal(signal.SIGTSTP)
            wait_until_suspended(terminal)
            assert given_back(terminal)
            terminal.signal(signal.SIGCONT)
            terminal.wait_for(lambda _: 1049 in terminal.modes)
            terminal.signal(signal.SIGCONT)  # nothing was suspended
            terminal.signal(signal.SIGTSTP)
            terminal.signal(signal.SIGTSTP)
            wait_until_suspended(terminal)
            assert given_back(terminal)
            terminal.signal(signal.SIGCONT)
            terminal.wait_for(lambda _: 1049 in terminal.modes)
            terminal.signal(signal.SIGTSTP)
            terminal.signal(signal.SIGCONT)
        terminal.wait_for(lambda _: 1049 in terminal.modes)
        terminal.resize(100, 30)
        terminal.wait_for(lambda text: "Esc stops" in text and len(text.splitlines()) == 30)
        terminal.send("escape")
        terminal.wait_for(lambda text: "Esc stops" not in text)  # Escape and q in one read are alt+q
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert given_back(terminal)
