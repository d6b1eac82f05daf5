"""Limits on the memory, the files and the processor time of one learner's process."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from typing import Final

MEMORY: Final = 600 << 20
"""Largest data segment of a learner's process, in bytes."""

FILE: Final = 20 << 20
"""Largest file that a learner's process may write, in bytes."""

SECONDS: Final = 2 * 60 * 60
"""Processor time after which the kernel ends the process, in seconds. The learner can log in again."""

OPEN_FILES: Final = 64
"""Largest number of open descriptors."""

NICE: Final = 10
"""Niceness of a learner's process: the server, which everybody waits for, comes first."""


def apply_limits() -> None:
    """Limit the resources of this process; limits that the system refuses are skipped."""
    for kind, limit in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))
    with suppress(OSError):
        os.nice(NICE)
    # If memory runs out, the kernel should end a learner's process before the server.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")
