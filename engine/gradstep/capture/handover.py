"""A thread that runs a learner's script, parks inside it, and does there what another thread asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Final, NoReturn, TypeVar

from gradstep.learner_code.interruption import Interrupted, Interrupter, interruptible

T = TypeVar("T")

POLL_INTERVAL: Final = 0.05
"""Seconds between two looks whether the waiting thread shall stop the script."""


class Ignored(Exception):  # noqa: N818 - named after what happened
    """The script was asked to stop, and went on: its code catches everything, or runs outside of Python."""


@dataclass(frozen=True, slots=True)
class Report:
    """Point that the script's thread has come to."""

    parked: bool
    """Whether the thread waits inside the script; False once the script has ended."""

    result: object = None
    """Why it is parked, or the result of what it was asked for."""

    error: BaseException | None = None
    """Exception with which the script, or what was asked for, ended."""


class Handover:
    """Hands work to the thread of a script that is parked, and waits for it.

    The thread's own settings, such as the grad mode, are the script's: so the script's statements run in it.
    """

    def __init__(self, name: str) -> None:
        """Make a thread of a name; `begin` starts it."""
        self._name = name
        self._requests: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._reports: SimpleQueue[Report] = SimpleQueue()
        self._reported = Event()
        self._interrupter = Interrupter()
        self.deaf_until = 0.0
        """`time.monotonic()` up to which no interruption is heard."""

        self.thread: Thread | None = None

    def begin(self, script: Callable[[], object], stopped: Callable[[], bool], patience: float) -> Report:
        """Run a script in a new daemon thread until it parks or ends; for arguments see `_wait`."""
        self.thread = Thread(target=self._run, args=(script,), name=self._name, daemon=True)
        self.thread.start()
        return self._wait(stopped, patience)

    def ask(self, work: Callable[[], T]) -> T:
        """Return the result of a function that the parked thread calls, or raise what it raises.

        Raises:
            Interrupted: the learner stopped the function.
        """
        report = self._hand(work)
        if report.error is not None:
            raise report.error
        return report.result  # type: ignore[return-value]

    def go_on(self, stopped: Callable[[], bool] = lambda: False) -> Report:
        """Let the script go on until it parks again or ends."""
        return self._hand(None, stopped)

    def park(self, why: object) -> None:
        """Wait, in the script's thread, until another thread calls `go_on`, and do what it asks for."""
        with self._interrupter.paused():
            self._report(Report(True, why))
            while (work := self._requests.get()) is not None:
                try:
                    done = Report(True, interruptible(work))
                except BaseException as error:  # raised again by the thread that asked
                    done = Report(True, None, error)
                self._report(done)

    def give_up(self, error: BaseException) -> NoReturn:
        """Report an error in place of the script, and let the calling thread wait for ever."""
        self._report(Report(False, None, error))
        while True:
            Event().wait()

    def _run(self, script: Callable[[], object]) -> None:
        with self._interrupter.attached():
            try:
                interruptible(script)
                report = Report(False)
            except BaseException as error:  # told to the thread that waits
                report = Report(False, None, error)
        self._report(report)

    def _report(self, report: Report) -> None:
        self._reports.put(report)
        self._reported.set()

    def _hand(self, work: Callable[[], object] | None, stopped: Callable[[], bool] = lambda: False) -> Report:
        self._requests.put(work)
        return self._wait(stopped, None)

    def _wait(self, stopped: Callable[[], bool], patience: float | None) -> Report:
        """Return the next report.

        Args:
            stopped: Polled meanwhile; return True to have the learner's code interrupted.
            patience: Seconds to wait for code that was interrupted; None to wait for ever.

        Raises:
            Ignored: the code went on for longer than that.
        """
        waited = 0.0
        while not self._reported.is_set():
            asked = False
            try:
                if monotonic() < self.deaf_until:
                    self._reported.wait(POLL_INTERVAL)
                else:
                    interruptible(lambda: self._reported.wait(POLL_INTERVAL))
            except Interrupted:
                asked = True
            if asked or waited or stopped():
                self._interrupter.interrupt()
                waited += POLL_INTERVAL
                if patience is not None and waited > patience and not self._reported.is_set():
                    raise Ignored
        self._reported.clear()
        return self._reports.get()
