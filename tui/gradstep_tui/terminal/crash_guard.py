"""Restores the terminal after an end that the program cannot handle: a crash in C++, or SIGKILL.

A small process is forked before any thread runs and before PyTorch is loaded. It waits for the end of this
one, and then gives the terminal back unless that has happened already.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

from gradstep_tui.terminal.terminal_signals import SignalLine, installed_signals

RESTORE: Final = (
    b"\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m\r\n"
)
"""Control sequences that restore the screen, the cursor, the mouse and the keys."""

TAKEN: Final = b"T"
"""Written when the program begins to draw."""

GIVEN_BACK: Final = b"G"
"""Written when the program has given the terminal back."""

OVER: Final = b"O"
"""Written when the program ends in order; processes that it has started may keep the line open."""


class CrashGuard:
    """This process's end of the line to the process that restores the terminal."""

    def __init__(self, line: int = -1, signals: SignalLine | None = None) -> None:
        """Write to a descriptor, to none if it is negative; `signals` are those of this process."""
        self._line = line
        self.signals = signals
        """Line on which this process's signals arrive; None if they are not read from a line."""

    def hold_ending(self) -> None:
        """Have signals that would end this process wait from now on."""
        if self.signals is not None:
            self.signals.hold_ending()

    def code(self, code: int) -> int:
        """Return the exit code of this process: `code`, or that of a signal which waits."""
        number = 0 if self.signals is None else self.signals.ending()
        return 128 + number if number and code < 128 else code

    def tell(self, what: bytes) -> None:
        """Tell the other process that the terminal is `TAKEN` or `GIVEN_BACK`."""
        if self._line >= 0:
            with suppress(OSError):
                os.write(self._line, what)


@contextmanager
def guarded_terminal(at_end: bool = False) -> Iterator[CrashGuard]:
    """Yield the line to a process that restores the terminal of standard input should this one crash.

    Args:
        at_end: Whether this process ends right after the `with` block.
    """
    with installed_signals(at_end) as signals:
        attributes = _attributes()
        if attributes is None or not hasattr(os, "fork"):
            yield CrashGuard(signals=signals)
            return
        theirs, ours = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            _watch(theirs, attributes)
        os.close(theirs)
        guard = CrashGuard(ours, signals)
        try:
            yield guard
        finally:
            guard.tell(OVER)
            os.close(ours)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _attributes() -> list[Any] | None:
    """Return the attributes of the terminal on standard input; None if it is none."""
    try:
        import termios
    except ImportError:  # Windows
        return None
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def _watch(line: int, attributes: list[Any]) -> NoReturn:
    """Wait until the other process has ended, and restore the terminal if it has not done so."""
    try:
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            with suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        taken = False
        while data := os.read(line, 64):
            taken = data.endswith(TAKEN)
            if data.endswith(OVER):
                break
        if taken:
            _restore(attributes)
    finally:
        sys.stdout = sys.stderr = None
        os._exit(0)


def _restore(attributes: list[Any]) -> None:
    import termios

    with suppress(OSError, termios.error):
        termios.tcsetattr(0, termios.TCSANOW, attributes)
    with suppress(OSError):
        os.write(0, RESTORE)
