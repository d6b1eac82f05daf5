"""Suspends and continues the program, in the order in which it is told to."""

from __future__ import annotations

import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, get_ident
from typing import Final

CAN_SUSPEND: Final = hasattr(signal, "SIGTSTP") and hasattr(signal, "sigwait")


class Suspension:
    """Suspends and continues the program between two events of its loop, never while it draws.

    A signal handler that wrote to the terminal itself could wait for a lock that the interrupted drawing
    holds. And of two signals that are sent within microseconds, one thread may take the first and another
    one the second, so that their handlers run in any order. So both signals are blocked, and a thread takes
    one after the other. A continuation that arrives before the suspension cancels it, as in the kernel.
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
        self._signals = {signal.SIGTSTP, signal.SIGCONT}
        self._given_back, self._continued = Event(), Event()
        self._busy = self._over = False
        self._thread = Thread(target=self._take_signals, name="gradstep suspension", daemon=True)

    def install(self) -> None:
        """Take SIGTSTP and SIGCONT from now on; call from the main thread, before it starts others."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        self._thread.start()
        for number in self._signals:  # of a thread that was there before
            signal.signal(number, self._pass_on)

    def end(self) -> None:
        """Do nothing from now on: the program has given the terminal back for good."""
        self._over = True

    @property
    def busy(self) -> bool:
        """Whether the terminal is being given back, or taken, by this object."""
        return self._busy

    def _pass_on(self, number: int, _: object) -> None:
        if self._thread.ident is not None:
            signal.pthread_kill(self._thread.ident, number)

    # In the thread that takes the signals

    def _take_signals(self) -> None:
        with suppress(RuntimeError):  # the event loop is closed
            while not self._over:
                if signal.sigwait(self._signals) == signal.SIGTSTP:
                    self._given_back.clear()
                    self._continued.clear()
                    self._loop.call_soon_threadsafe(self._suspend)
                    self._given_back.wait()
                    self._stop()
                    self._continued.set()
                else:  # stopped by SIGSTOP, which nobody can handle: the terminal may have changed
                    self._loop.call_soon_threadsafe(self._take_again)

    def _stop(self) -> None:
        """Stop the process until it is continued; not at all if it was continued already."""
        if self._over:
            return
        while True:
            if signal.SIGCONT not in signal.sigpending():
                # Sent to this thread, it stops all before this call returns. A SIGTSTP that waits as well is
                # dropped by the kernel when the process is continued.
                signal.pthread_kill(get_ident(), signal.SIGSTOP)
            if signal.sigwait(self._signals) == signal.SIGCONT:
                return

    # In the event loop

    def _suspend(self) -> None:
        if self._over:
            self._given_back.set()
            return
        self._busy = True
        try:
            self._give_back()
        finally:
            self._given_back.set()
        self._continued.wait()
        self._take()
        self._busy = False

    def _take_again(self) -> None:
        if self._over:
            return
        self._busy = True
        self._give_back()
        self._take()
        self._busy = False
