"""The program's end of the line to its guard, a small process that restores the terminal after a crash.

It is forked before any thread runs and before PyTorch is loaded; in a program that has threads already, it is
started as a command. A crash in C++, SIGKILL, and code that lets
nothing else run are no concern of the program then: see `guard_process`.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from gradstep_tui.terminal import guard_process
from gradstep_tui.terminal.guard_process import ANSWER, DRAW_AGAIN, LEAVING, OVER, PING, GuardProcess
from gradstep_tui.terminal.terminal_signals import SignalLine, ending_signals, installed_signals


class CrashGuard:
    """This process's end of the line to the process that restores the terminal."""

    def __init__(self, line: socket.socket | None = None, signals: SignalLine | None = None) -> None:
        """Write to a line, to nobody if it is None; `signals` are those of this process."""
        self._line = line
        self.signals = signals
        """Line on which this process's signals arrive; None if they are not read from a line."""

        self.draw_again: Callable[[], object] = lambda: None
        """Function that draws the screen again; called from another thread."""

    def hold_ending(self) -> None:
        """Have signals that would end this process wait from now on."""
        if self.signals is not None:
            self.signals.hold_ending()

    def code(self, code: int) -> int:
        """Return the exit code of this process: `code`, or that of a signal which waits."""
        number = 0 if self.signals is None else self.signals.ending()
        return 128 + number if number and code < 128 else code

    def tell(self, what: bytes) -> None:
        """Tell the other process something, e.g. that the terminal is `TAKEN` or `GIVEN_BACK`."""
        if self._line is not None:
            with suppress(OSError):
                self._line.send(what)

    def answer(self) -> None:
        """Answer the other process until the line is closed; called in a thread of its own."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while data := self._heard():
            if PING in data:
                if self.signals is not None and not self.signals.is_held:
                    self.signals.arrived()  # Python's own handlers see to them
                self.tell(ANSWER)
            if DRAW_AGAIN in data:
                self.draw_again()

    def _heard(self) -> bytes:
        with suppress(OSError):
            return b"" if self._line is None else self._line.recv(64)
        return b""


@contextmanager
def guarded_terminal(at_end: bool = False, farewell: str = "") -> Iterator[CrashGuard]:
    """Yield the line to a process that restores the terminal of standard input should this one crash.

    Args:
        at_end: Whether this process ends right after the `with` block.
        farewell: Sentence that says what becomes of the session if this process has to be ended.
    """
    with installed_signals(at_end) as signals:
        has_threads = threading.active_count() > 1
        if signals is None or (has_threads and not os.access(sys.executable or "", os.X_OK)):
            yield CrashGuard(signals=signals)
            return
        ours, theirs = socket.socketpair()
        ending, attributes = ending_signals(), _attributes()
        if has_threads:
            child = _started(theirs, signals.arriving, (ending, attributes, farewell))
        else:
            child = os.fork()
        if child == 0:
            ours.close()
            GuardProcess(
                theirs, signals.arriving, ending=ending, attributes=attributes, farewell=farewell
            ).run()
        theirs.close()
        guard = CrashGuard(ours, signals)
        signals.before_leaving = partial(guard.tell, LEAVING)
        answering = threading.Thread(target=guard.answer, name="gradstep guard", daemon=True)
        answering.start()
        try:
            yield guard
        finally:
            guard.tell(OVER)
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)  # ends the thread
            with suppress(ChildProcessError):
                os.waitpid(child, 0)
            answering.join(1)
            ours.close()


def _started(line: socket.socket, signals: socket.socket, more: Sequence[object]) -> int:
    """Start the guard as a command, and return its process's number; for `more` see `guard_from`."""
    lines = line.fileno(), signals.fileno()
    arguments = [str(Path(guard_process.__file__)), *map(repr, (*lines, *more))]
    command = [sys.executable, "-I", "-S", *arguments]
    for descriptor in lines:
        os.set_inheritable(descriptor, True)
    try:
        return os.posix_spawn(sys.executable, command, os.environ)
    finally:
        for descriptor in lines:
            os.set_inheritable(descriptor, False)


def _attributes() -> list[Any] | None:
    """Return the attributes of the terminal on standard input; None if it is none."""
    import termios

    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return None
