"""Runs a script's code in a thread that nobody has to wait for, with the terminal kept from it."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

from engine.scripts.errors import Abandoned

T = TypeVar("T")

MOST_KEPT: Final = 20_000
"""Characters of a script's output that are kept; the rest is counted only."""

OFTEN: Final = 0.05
"""Seconds between two questions whether to go on waiting."""


class Output(io.TextIOBase):
    """Takes what a script prints, as far as there is room."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._parts: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take some text."""
        room = MOST_KEPT - self._size
        if room > 0:
            self._parts.append(text[:room])
        self._size += len(text)
        return len(text)

    @property
    def text(self) -> str:
        """What was printed; the end is missing where it was too much."""
        more = self._size - MOST_KEPT
        return "".join(self._parts) + (f"\n... {more:,} characters more\n" if more > 0 else "")


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


def run_apart(path: Path, work: Callable[[], T], stopped: Callable[[], bool], output: Output) -> T:
    """Do the work, and wait for it.

    A script may run for ever, or wait for something that never comes, and a thread cannot be ended from
    outside. So this one is left behind where nobody wants to wait: it ends with the program.

    Args:
        path: The script that the work is about.
        work: What to do.
        stopped: Asked again and again whether to stop waiting.
        output: Takes what is printed meanwhile. There is nothing to be read from standard input.

    Raises:
        Abandoned: `stopped` said so.
        KeyboardInterrupt: ctrl+c, where the waiting thread is the main one.
        BaseException: what the work raised.
    """
    outcome = _Outcome(work)
    thread = threading.Thread(target=outcome.run, name=f"gradstep {path.name}", daemon=True)
    with _terminal_kept_from_it(output):
        thread.start()
        while thread.is_alive():
            thread.join(OFTEN)
            if thread.is_alive() and stopped():
                raise Abandoned(path)
    if outcome.raised is not None:
        raise outcome.raised
    return outcome.result


@contextmanager
def _terminal_kept_from_it(output: Output) -> Iterator[None]:
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), output, output
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
