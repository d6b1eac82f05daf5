"""Interruption of the learner's own code, also of a loop that never ends, while it runs in another thread.

Python can raise an exception in another thread, but at any instruction: in the middle of a `finally` that
gives something back, for example. So it is raised only while the thread is inside `interruptible`, which runs
the learner's code and nothing that has to be finished. Code outside Python, such as a `sleep` or one long
operation of a library, is interrupted only after it has returned to Python.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Final, TypeVar

T = TypeVar("T")


class Interrupted(BaseException):
    """Raised in the middle of the learner's code, because the learner asked to stop it.

    It is no `Exception`, so that the learner's own `except Exception` does not catch it.
    """


class Interrupter:
    """Interrupts the learner's code that one thread runs."""

    def __init__(self) -> None:
        """Start without a thread."""
        self._thread = 0
        self._open = False
        """Whether the thread runs the learner's code now."""

        self._sending = False
        """Whether another thread is about to interrupt, and may have found `_open` to be true."""

        self._sent = False
        """Whether an interruption was sent, and has not been dropped since."""

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Let `interrupt` interrupt the learner's code that the current thread runs in the `with` block."""
        self._thread = get_ident()
        _interrupters[self._thread] = self
        try:
            yield
        finally:
            del _interrupters[self._thread]

    def interrupt(self) -> bool:
        """Interrupt the learner's code, and return whether the thread was running any.

        The code may catch the exception, so call this again until the work has ended.
        """
        self._sending = True
        try:
            if not self._open:
                return False
            self._sent = True
            _raise_in(self._thread, Interrupted)
            return True
        finally:
            self._sending = False

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, which may be interrupted until then but not afterwards.

        Raises:
            Interrupted: `interrupt` was called.
        """
        # An exception from another thread arrives only at calls and at jumps backwards. Below, each of them
        # stands inside a `try`. After `_open` has become false, at most two more can arrive: one that was
        # sent before, and one that is being sent.
        raised: BaseException | None = None
        process = os.getpid()
        try:
            self._open = True
            result = work()
            self._open = False
        except BaseException as error:
            self._open = False
            raised = error
        if os.getpid() != process:
            os._exit(
                0
            )  # a copy that the learner's code made of the process: it has no session and no terminal
        try:
            self._settle()
        except Interrupted as late:
            raised = late
            try:
                self._settle()
            except Interrupted:
                self._settle()
        if raised is not None:
            raise raised
        return result

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing interrupt the thread while learner's code that `run` runs waits in the `with` block.

        Inside the block, `run` may be called again.
        """
        try:
            self._open = False
            self._settle()
        except Interrupted:  # it came too late: the learner's code waits already
            try:
                self._settle()
            except Interrupted:
                self._settle()
        try:
            yield
        finally:
            self._open = True

    @property
    def is_open(self) -> bool:
        """Whether the thread runs the learner's code now."""
        return self._open

    def _settle(self) -> None:
        """Wait until nobody is about to interrupt, and drop an interruption that has not arrived yet."""
        while self._sending:
            pass
        if not self._sent:
            return
        # An exception that is taken back leaves a sign in Python 3.11 and 3.12 which only an exception that
        # arrives removes. As long as it stands, a function that is traced or profiled in 3.11 never begins.
        # So one arrives here, in place of the one that was sent, if that has not arrived yet.
        try:
            _raise_in(self._thread, Interrupted)
            while True:
                pass
        except Interrupted:
            self._sent = False


_interrupters: Final[dict[int, Interrupter]] = {}
"""Interrupter of each thread that has one, by the thread's identifier."""


def interruptible(work: Callable[[], T]) -> T:
    """Return the result of `work`, which runs the learner's code and may be interrupted at any instruction.

    Without an `Interrupter` for the current thread, and inside another call of this function, `work` is
    simply called.

    Raises:
        Interrupted: the learner asked to stop the code.
    """
    interrupter = _interrupters.get(get_ident())
    if interrupter is None or interrupter.is_open:
        return work()
    return interrupter.run(work)


def _raise_in(thread: int, exception: type[BaseException]) -> None:
    """Have Python raise an exception in a thread at its next instruction, in place of one sent before."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))
