"""Runs a script in a daemon thread that can be abandoned, with its output captured."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from gradstep.captured_output import KeptFromTerminal, Printed
from gradstep.scripts.script_errors import Abandoned

T = TypeVar("T")

POLL_INTERVAL: Final = 0.05
"""Seconds between two calls of `stopped` while a script runs."""


class _Outcome(Generic[T]):
    """Result of a function that runs in another thread, or the exception that it raised."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.result: T
        self.raised: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # raised again by the waiting thread
            self.raised = error


def run_apart(path: Path, work: Callable[[], T], stopped: Callable[[], bool], printed: Printed) -> T:
    """Run a function in a daemon thread and return its result.

    A script may run forever, and a thread cannot be ended from outside. An abandoned thread runs on until the
    program ends.

    Args:
        path: Path of the script that the function runs.
        work: Function to run.
        stopped: Polled while the function runs; return True to abandon it.
        printed: Buffer for everything that the function prints. Standard input is empty meanwhile.

    Raises:
        Abandoned: `stopped` returned True.
        KeyboardInterrupt: The user pressed ctrl+c while the main thread waited.
        BaseException: The function raised it.
    """
    outcome = _Outcome(work)
    thread = threading.Thread(target=outcome.run, name=f"gradstep {path.name}", daemon=True)
    with KeptFromTerminal(printed) as kept:
        thread.start()
        while thread.is_alive():
            thread.join(POLL_INTERVAL)
            if thread.is_alive() and stopped():
                kept.leave(thread)
                raise Abandoned(path)
    if outcome.raised is not None:
        raise outcome.raised
    return outcome.result
