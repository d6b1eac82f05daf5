"""The small process that restores the terminal if the program cannot, and ends a program that hears nothing.

Code that keeps Python's interpreter to itself, e.g. `sum(range(10**12))`, lets no other thread run: no key,
no ctrl+c and no signal is handled. So if input waits, and the program does not answer either, this process
looks at the input itself. The program is ended only if the learner asks for it.
"""

from __future__ import annotations

import array
import ast
import os
import re
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

RESTORE: Final = (
    b"\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m\r\n"
)
"""Control sequences that restore the screen, the cursor, the mouse and the keys."""

TAKEN: Final = b"T"
"""The program begins to draw."""

TYPED: Final = b"P"
"""The program reads lines, whose editing changes how the terminal sends keys."""

GIVEN_BACK: Final = b"G"
"""The program has given the terminal back."""

READY: Final = b"R"
"""The program has loaded what it needs; loading a library may keep the interpreter busy for seconds."""

LEAVING: Final = b"L"
"""The program is about to end."""

OVER: Final = b"O"
"""The program ends in order; processes that it has started may keep the line open."""

ANSWER: Final = b"!"
"""The program has a thread that can run: its answer to `PING`."""

PING, DRAW_AGAIN = b"?", b"d"
"""What the program hears: to answer, and that something was written over its screen."""

GRACE: Final = 0.15
"""Seconds that the program has to read its input before it is asked whether it can."""

PATIENCE, LOADING = 0.6, 3.0
"""Seconds that the program has to answer, once it is ready and before."""

ASKED: Final = 5.0
"""Seconds that a program has to stop what it does after a signal that ends it."""

PAUSE: Final = 0.1
"""Seconds between two looks at the input of a program that does not answer."""

HELD: Final = (
    "\x1b7\x1b[999;1H\x1b[7m"
    " this code cannot be stopped: q or ctrl+c leaves, and what was done is saved "
    "\x1b[0m\x1b8"
)
"""Line at the bottom of the screen of a program that does not answer."""

ENDED: Final = (
    "gradstep: the code that was running could not be stopped, because it lets nothing else run in the "
    "process; so the process was ended."
)

_PASTE: Final = re.compile(rb"\x1b\[200~.*?(?:\x1b\[201~|\Z)", re.DOTALL)
_CTRL_C: Final = re.compile(rb"\x03|\x1b\[99;5(?::1)?u")
_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)")


def leaves(typed: bytes) -> bool:
    """Return whether there is a `q` or a ctrl+c among what was typed; what was pasted does not count."""
    typed = _PASTE.sub(b"", typed)
    return bool(_CTRL_C.search(typed)) or b"q" in _SEQUENCE.sub(b"", typed)


class GuardProcess:
    """Watches the program that has forked or started it."""

    def __init__(
        self,
        line: socket.socket,
        signals: socket.socket | None,
        *,
        ending: Iterable[int],
        attributes: list[Any] | None,
        farewell: str,
    ) -> None:
        """Watch the parent process.

        Args:
            line: Line to the program.
            signals: Line on which the program's signals arrive, read along; None if there is none.
            ending: Numbers of the signals that end the program.
            attributes: The terminal's attributes on standard input; None if that is no terminal.
            farewell: Sentence that says what becomes of the session.
        """
        self._line, self._signals, self._ending = line, signals, frozenset(ending)
        self._attributes, self._farewell = attributes, farewell
        self._program = os.getppid()
        self._place, self._patience = GIVEN_BACK, LOADING
        self._leaving = self._over = self._answered = False
        self._asked = -ASKED
        """`time.monotonic()` when a signal that ends the program was last seen."""

    def run(self) -> NoReturn:
        """Watch until the program has ended, restore the terminal if it has not done so, and exit."""
        try:
            signal.set_wakeup_fd(-1)
            for number in signal.valid_signals():
                with suppress(OSError, ValueError):
                    signal.signal(number, signal.SIG_IGN)
            while not self._over:
                self._watch()
            self._restore()
        finally:
            sys.stdout = sys.stderr = None
            os._exit(0)

    def _watch(self) -> None:
        """Wait until something happens, and accompany the program while it neither reads nor answers."""
        if not self._wants_to_leave() and not self._waits() and not self._hear(None, self._inputs()):
            return
        # What the program has read may still be lost: it may not have got as far as handling it.
        if self._is_signalled():
            self._asked = time.monotonic()
        self._hear(GRACE)
        if not self._over and self._is_stuck():
            self._accompany()

    def _wants_to_leave(self) -> bool:
        """Return whether the program is about to end, or was asked a moment ago to stop what it does."""
        return self._leaving or time.monotonic() - self._asked < ASKED

    def _is_stuck(self) -> bool:
        """Return whether the program lets no thread run, although it is not suspended."""
        self._answered = False
        with suppress(OSError):
            self._line.send(PING)
        end = time.monotonic() + self._patience
        while not (self._answered or self._over) and (left := end - time.monotonic()) > 0:
            self._hear(left)
        stuck = not (self._answered or self._over or self._is_suspended())
        if not stuck:
            self._hear(GRACE)
        return stuck

    def _accompany(self) -> None:
        """End the program if the learner wants to leave; return if it goes on by itself."""
        told = False
        while not (self._answered or self._over):
            if self._wants_to_leave() or leaves(self._typed()) or self._is_signalled():
                self._end()
            if self._has_terminal() and not told:
                told = True
                self._write(0, HELD.encode())
            self._hear(PAUSE)
        if told:
            with suppress(OSError):
                self._line.send(DRAW_AGAIN)

    def _end(self) -> None:
        if (
            os.getppid() != self._program
        ):  # it has ended, and processes that it has started keep the line open
            self._over = True
            return
        self._restore()
        self._write(2, f"{ENDED} {self._farewell}".rstrip().encode() + b"\n")
        os.kill(self._program, signal.SIGKILL)
        os._exit(0)

    # What can be seen from here

    def _hear(self, seconds: float | None, others: Iterable[Any] = ()) -> bool:
        """Take in what the program says, and return whether there is input on one of the others.

        Args:
            seconds: Seconds to wait; None for any time.
            others: Lines on which input ends the waiting as well.
        """
        ready, _, _ = select.select([self._line, *others], [], [], seconds)
        if self._line not in ready:
            return bool(ready)
        data = b""
        with suppress(OSError):
            data = self._line.recv(256)
        for what in (data[place : place + 1] for place in range(len(data))):
            if what in (TAKEN, TYPED, GIVEN_BACK):
                self._place = what
            self._answered |= what == ANSWER
            self._leaving |= what == LEAVING
            self._patience = PATIENCE if what == READY else self._patience
        self._over |= not data or OVER in data
        return len(ready) > 1

    def _inputs(self) -> list[Any]:
        found: list[Any] = [] if self._signals is None else [self._signals]
        return [*found, 0] if self._has_terminal() else found

    def _has_terminal(self) -> bool:
        """Return whether keys are sent to the program, and not to the shell that has suspended it."""
        with suppress(OSError):
            return self._place == TAKEN and os.tcgetpgrp(0) == os.getpgrp()
        return False

    def _waits(self) -> bool:
        """Return whether there is input that the program has not read."""
        return bool(self._signalled()) or (self._has_terminal() and _waiting() > 0)

    def _signalled(self) -> bytes:
        if self._signals is not None:
            with suppress(OSError):
                return self._signals.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return b""

    def _is_signalled(self) -> bool:
        return not self._ending.isdisjoint(self._signalled())

    def _typed(self) -> bytes:
        """Return what was typed and not read; it is dropped."""
        with suppress(OSError):
            if self._has_terminal() and (count := _waiting()):
                return os.read(0, count)
        return b""

    def _is_suspended(self) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{self._program}/stat").read_bytes().rpartition(b")")[2].split()[0] in b"Tt"
        return False

    # What is done to the terminal

    def _restore(self) -> None:
        if self._place == GIVEN_BACK:
            return
        import termios

        if self._attributes is not None:
            with suppress(OSError, termios.error):
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
        if self._place == TAKEN:
            self._write(0, RESTORE)

    def _write(self, descriptor: int, data: bytes) -> None:
        with suppress(OSError):
            os.write(descriptor, data)


def guard_from(arguments: Sequence[str]) -> GuardProcess:
    """Return the guard that a program with threads has started by a command: see `CrashGuard`.

    Args:
        arguments: Descriptors of both lines, numbers of signals, the terminal's attributes, and the farewell.
    """
    line, signals, ending, attributes, farewell = map(ast.literal_eval, arguments)
    return GuardProcess(
        socket.socket(fileno=line),
        socket.socket(fileno=signals),
        ending=ending,
        attributes=attributes,
        farewell=farewell,
    )


def _waiting() -> int:
    """Return the number of bytes that wait in the terminal on standard input."""
    import fcntl
    import termios

    count = array.array("i", [0])
    with suppress(OSError):
        fcntl.ioctl(0, termios.FIONREAD, count)
    return count[0]


if __name__ == "__main__":
    guard_from(sys.argv[1:]).run()
