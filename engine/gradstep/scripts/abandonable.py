"""Runs a script's code in a thread that nobody has to wait for, with the terminal kept from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from gradstep.captured_output import KeptFromTerminal, Printed
from gradstep.scripts.script_errors import Abandoned

T = TypeVar("T")

OFTEN: Final = 0.05
"""Seconds between two questions whether to go on waiting."""


class _Outcome(Generic[T]):
    """What came of work in another thread."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.result: T
        self.raised: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # for the waiting thread to raise
            self.raised = error


def run_apart(path: Path, work: Callable[[], T], stopped: Callable[[], bool], printed: Printed) -> T:
    """Do the work, and wait for it.

    A script may run for ever, or wait for something that never comes, and a thread cannot be ended from
    outside. So this one is left behind where nobody wants to wait: it ends with the program.

    Args:
        path: The script that the work is about.
        work: What to do.
        stopped: Asked again and again whether to stop waiting.
        printed: Takes what is printed meanwhile. There is nothing to be read from standard input.

    Raises:
        Abandoned: `stopped` said so.
        KeyboardInterrupt: ctrl+c, where the waiting thread is the main one.
        BaseException: what the work raised.
    """
    outcome = _Outcome(work)
    thread = threading.Thread(target=outcome.run, name=f"gradstep {path.name}", daemon=True)
    with KeptFromTerminal(printed) as kept:
        thread.start()
        while thread.is_alive():
            thread.join(OFTEN)
            if thread.is_alive() and stopped():
                kept.leave(thread)
                raise Abandoned(path)
    if outcome.raised is not None:
        raise outcome.raised
    return outcome.result
