"""The C library's heap, told not to hand back at once what the next pass will need again."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Names of `mallopt(3)` in glibc's malloc.h."""

KEPT: Final = 256 << 20
"""Bytes of free memory at the heap's end that are kept for the next pass."""

LARGEST: Final = 32 << 20
"""Bytes of the largest piece that comes from the heap; no more are allowed on 64-bit machines."""


def keep_freed_memory() -> bool:
    """Keep the memory of a trace that is let go of, for the next trace; False where it cannot be asked for.

    By default glibc gives it back to the system at once, and the next pass takes it anew, page by page: a
    sixth of the time that it takes to record a transformer block. It concerns the whole process.

    Source: mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl has none
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT) and mallopt(_MMAP_THRESHOLD, LARGEST))
