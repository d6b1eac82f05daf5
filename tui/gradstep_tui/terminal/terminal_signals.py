"""Signals of a program that has a terminal: those that end it, and those that suspend and continue it."""

from __future__ import annotations

import os
import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable
from functools import partial
from typing import Final

MACHINE_ERRORS: Final = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS", "SIGEMT")
"""Signals after which no handler can run; another process restores the terminal."""

JOB_CONTROL: Final = ("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT")

LEFT_ALONE: Final = ("SIGKILL", "SIGCHLD", "SIGWINCH", "SIGURG", "SIGINFO", "SIGPIPE", "SIGXFSZ")

NOT_ENDING: Final = frozenset((*MACHINE_ERRORS, *JOB_CONTROL, *LEFT_ALONE))
"""Signals that are not handled as a wish to end the program."""

CAN_SUSPEND: Final = hasattr(signal, "SIGTSTP")


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


def leave_at_signals(loop: AbstractEventLoop, leave: Callable[[int], object]) -> None:
    """Have an event loop call `leave` with the number of any signal that would end the process."""
    for number in ending_signals():
        try:
            loop.add_signal_handler(number, partial(leave, number))
        except (NotImplementedError, RuntimeError, ValueError, OSError):
            continue  # Windows, not the main thread (tests), or a signal that the system keeps to itself


class Suspension:
    """Suspends and continues the program between two events of its loop, never while it draws.

    A signal handler that wrote to the terminal itself could wait for a lock that the interrupted drawing
    holds. A continuation that arrives before the suspension cancels it.
    """

    def __init__(
        self, loop: AbstractEventLoop, give_back: Callable[[], object], take: Callable[[], object]
    ) -> None:
        """Prepare; `install` begins.

        Args:
            loop: The event loop that draws.
            give_back: Leaves the terminal as it was before the program.
            take: Takes the terminal again, and draws everything.
        """
        self._loop, self._give_back, self._take = loop, give_back, take
        self._wanted = self._continues = self._busy = self._over = False
        self._continued = 0
        """How often SIGCONT has arrived, also while the loop was busy."""

    def install(self) -> None:
        """Handle SIGTSTP and SIGCONT; call from the main thread."""
        self._loop.add_signal_handler(signal.SIGTSTP, self._on_stop)
        self._loop.add_signal_handler(signal.SIGCONT, self._on_continue)
        signal.signal(signal.SIGCONT, self._note)  # the loop hears of it all the same

    def end(self) -> None:
        """Do nothing from now on: the program has given the terminal back for good."""
        self._over = True

    @property
    def busy(self) -> bool:
        """Whether the terminal is being given back, or taken, by this object."""
        return self._busy

    def _note(self, *_: object) -> None:
        self._continued += 1

    def _on_stop(self) -> None:
        self._wanted = True
        self._loop.call_soon(self._suspend)

    def _on_continue(self) -> None:
        self._wanted = False
        if self._continues:
            self._continues = False
        else:  # stopped by SIGSTOP, which nobody can handle: the terminal may have changed
            self._loop.call_soon(self._take_again)

    def _suspend(self) -> None:
        if not self._wanted or self._over:
            return
        self._wanted, self._busy, continued = False, True, self._continued
        self._give_back()
        if self._continued == continued:
            os.kill(os.getpid(), signal.SIGSTOP)  # returns when the process is continued
            self._continues = True
        self._take()
        self._busy = False

    def _take_again(self) -> None:
        if self._over:
            return
        self._busy = True
        self._give_back()
        self._take()
        self._busy = False
