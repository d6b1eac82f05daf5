"""Says, now and then, that a learner's script runs, until its session can begin."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gradstep.start import Start

FIRST: Final = 2.0
"""Seconds after which a script is first said to run; most are ready before."""

FIRST_IN_LOG: Final = 60.0
"""The same if nobody watches a terminal: a log should have no lines that depend on the machine's load."""

CALLED: Final = 40
"""Largest number of characters of a script's name and arguments in a line."""

SLOWER: Final = 2.0
"""Factor by which each time between two lines is longer than the one before."""

LONGEST: Final = 60.0
"""Largest number of seconds between two lines."""


def running_title(start: Start) -> str:
    """Return what runs until a session can begin, `train.py to its first backward`; empty for no script."""
    called = _called(start)
    return called and f"{called} to its first backward"


def resuming_title(start: Start) -> str:
    """Return what runs until a saved session can go on, `train.py to where it was`; empty for no script."""
    called = _called(start)
    return called and f"{called} to where it was"


def _called(start: Start) -> str:
    """Return a script's name and its arguments; empty for no script."""
    if not start.has_file or start.table is not None:
        return ""
    called = " ".join([Path(start.problem).name, *start.arguments])
    return called if len(called) <= CALLED else f"{called[:CALLED]}..."


@contextmanager
def told_while_running(title: str, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Say now and then what runs and for how long, until the `with` block ends.

    Args:
        title: What runs; empty to say nothing.
        say: Called with each line, from another thread; None to print lines on standard error.
    """
    if not title:
        yield
        return
    stream, ended, began = sys.stderr, threading.Event(), time.monotonic()
    if stream is None:  # closed before the start
        yield
        return

    def tell(text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads standard error
            print(text, file=stream, flush=True)

    def tell_in_time() -> None:
        wait = FIRST if say is not None or stream.isatty() else FIRST_IN_LOG
        while not ended.wait(wait):
            (say or tell)(f"running {title}, {time.monotonic() - began:.0f} s; ctrl+c stops it")
            wait = min(wait * SLOWER, LONGEST)

    teller = threading.Thread(target=tell_in_time, name="gradstep start line", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
