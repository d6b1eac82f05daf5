"""What one learner's process may have of a machine that many share."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from typing import Final

BEFORE_LOADING: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "TEXTUAL_FPS": "20",
    "TEXTUAL_ANIMATIONS": "none",
    "ESCDELAY": "50",
    "PYTHONUTF8": "1",
}
"""What is read while the libraries are loaded: one thread, memory for one, no more drawing than a network
wants."""

MEMORY: Final = 600 << 20
"""Bytes of data that a learner's process may have of its own."""

FILE: Final = 20 << 20
"""Bytes of a file that it may write: an export."""

SECONDS: Final = 2 * 60 * 60
"""Of processor time: then the process ends, and the learner logs in again. A run for ever ends so, too."""

NICE: Final = 10
"""So that the server, which everybody waits for, comes first."""


def take_limits() -> None:
    """See to it that one learner's mishap stays one learner's."""
    for what, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    with suppress(OSError):
        os.nice(NICE)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")  # where memory runs out, a learner's bench goes before the server
