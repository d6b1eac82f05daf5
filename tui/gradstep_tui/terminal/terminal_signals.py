"""Signals of a program that has a terminal: those that end it wait on a line until somebody reads them.

Python's own handlers run only while the interpreter is free, and asyncio's are removed before its event loop
is closed: a signal in between would end the program in the middle of its last save, and one that arrives
while the loop is being closed would be written to a socket that is closed already.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

MACHINE_ERRORS: Final = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS", "SIGEMT")
"""Signals after which no handler can run; another process restores the terminal."""

JOB_CONTROL: Final = ("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT")

LEFT_ALONE: Final = ("SIGKILL", "SIGCHLD", "SIGWINCH", "SIGURG", "SIGINFO", "SIGPIPE", "SIGXFSZ")

NOT_ENDING: Final = frozenset((*MACHINE_ERRORS, *JOB_CONTROL, *LEFT_ALONE))
"""Signals that are not handled as a wish to end the program."""

Handler: TypeAlias = Callable[[int], object]
"""Function that is called with the number of a signal."""


def ending_signals() -> list[int]:
    """Return the numbers of all signals that would end this process, and that nobody handles or ignores."""
    others = {getattr(signal, name, 0) for name in NOT_ENDING}
    return sorted(
        int(number) for number in signal.valid_signals() if number not in others and _is_unhandled(number)
    )


def _is_unhandled(number: int) -> bool:
    """Return whether nobody handles a signal; Python and the event loop handle SIGINT by default."""
    handler = signal.getsignal(number)
    return handler == signal.SIG_DFL or (number == signal.SIGINT and callable(handler))


class SignalLine:
    """A line on which every handled signal arrives as a byte, in the order in which the process took them.

    The byte is written at once, also while some code keeps the interpreter to itself.
    """

    def __init__(self) -> None:
        """Make the line; `installed_signals` begins to use it."""
        self.arriving, self.written = socket.socketpair()
        """The end to read, and the end that Python writes to."""

        self.arriving.setblocking(False)
        self.written.setblocking(False)
        self._before: dict[int, Any] = {}
        self._handlers: dict[int, Handler] = {}
        self._ending: frozenset[int] = frozenset()
        self.before_leaving: Callable[[], object] = lambda: None
        """Function that is called before a signal that ends the process is taken from the line."""

    def hold_ending(self) -> None:
        """Have signals that would end the process wait on the line from now on."""
        numbers = ending_signals()
        self._ending |= frozenset(numbers)
        for number in numbers:
            self._note(number)

    @property
    def is_held(self) -> bool:
        """Whether signals that would end the process wait on the line until they are read."""
        return bool(self._ending)

    def handle(self, number: int, handler: Handler) -> None:
        """Have the event loop call `handler` for a signal from now on."""
        self._handlers[number] = handler
        self._note(number)

    def leave_with(self, leave: Handler) -> None:
        """Have the running event loop call `leave` for every signal that would end the process."""
        self._handlers |= dict.fromkeys(self._ending, leave)

    def read_with(self, loop: AbstractEventLoop) -> None:
        """Have an event loop read the line; what waits on it is handled first."""
        loop.add_reader(self.arriving, self._dispatch)

    def ending(self) -> int:
        """Empty the line, and return the first signal on it that would have ended the process; 0 for none."""
        return next((number for number in self.arrived() if number in self._ending), 0)

    def arrived(self) -> bytes:
        """Empty the line, and return the signals that were on it."""
        numbers = b""
        with suppress(BlockingIOError, OSError):
            while data := self.arriving.recv(1024):
                numbers += data
        return numbers

    def _note(self, number: int) -> None:
        with suppress(OSError, ValueError):  # a signal that the system keeps to itself
            before = signal.signal(number, _do_nothing)
            self._before.setdefault(number, before)

    def _dispatch(self) -> None:
        with suppress(BlockingIOError, OSError):
            if not self._ending.isdisjoint(self.arriving.recv(1024, socket.MSG_PEEK)):
                self.before_leaving()  # while others can still see on the line what is wanted
        for number in self.arrived():
            if number in self._handlers:
                self._handlers[number](number)

    def close(self, at_end: bool) -> None:
        """Use the line no more.

        Args:
            at_end: Whether the process ends now: signals that would end it are ignored from now on. Otherwise
                they are handled as before.
        """
        for number, before in self._before.items():
            ignored = at_end and number in self._ending
            if ignored or signal.getsignal(number) is _do_nothing:
                signal.signal(number, signal.SIG_IGN if ignored else before or signal.SIG_DFL)
        self.arriving.close()
        self.written.close()


def _do_nothing(*_: object) -> None:
    """Handle a signal whose byte is on the line."""


@contextmanager
def installed_signals(at_end: bool = False) -> Iterator[SignalLine | None]:
    """Yield the line on which signals arrive; None in a thread, and on systems without such signals.

    Args:
        at_end: Whether the process ends right after the `with` block.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield None
        return
    line = SignalLine()
    before = signal.set_wakeup_fd(line.written.fileno(), warn_on_full_buffer=False)
    try:
        yield line
    finally:
        signal.set_wakeup_fd(before)  # Python would complain of a line that is closed
        line.close(at_end)
