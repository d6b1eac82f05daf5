"""Size of the stacks of this process's threads, so that PyTorch can free a graph of many nodes in a row."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

STACK: Final = 32 << 20
"""Bytes of stack for each thread: a graph of 100,000 nodes in a row takes 21 million."""


def make_room_for_deep_graphs() -> None:
    """Enlarge the stacks of the main thread and of all threads that start from now on.

    From PyTorch 2.13 on, the destructor of a node that Python has seen calls the destructor of the next one,
    and a default stack of 8 MiB ends the process after 40,000. Only pages that are used take memory.
    A system that fixes the main thread's stack at its start, as macOS does, leaves that one as it is.
    """
    with suppress(ValueError, RuntimeError):
        before = threading.stack_size(STACK)  # without an argument, the function would reset the size
        if before > STACK:
            threading.stack_size(before)
    with suppress(ImportError, OSError, ValueError):
        import resource  # Unix has it

        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        enough = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
        if soft != resource.RLIM_INFINITY and soft < enough:
            resource.setrlimit(resource.RLIMIT_STACK, (enough, hard))
