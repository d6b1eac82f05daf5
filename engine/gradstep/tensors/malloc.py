"""Settings of the C library's allocator, so that freed memory stays in the process for the next pass."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
"""Number of the parameter `M_TRIM_THRESHOLD` in glibc's malloc.h."""

_MMAP_THRESHOLD: Final = -3
"""Number of the parameter `M_MMAP_THRESHOLD` in glibc's malloc.h."""

KEPT: Final = 256 << 20
"""Bytes of free memory at the end of the heap that stay in the process."""

LARGEST: Final = 32 << 20
"""Largest request in bytes that is served from the heap; glibc allows no more on 64-bit machines."""


def keep_freed_memory() -> bool:
    """Set the allocator to keep freed memory for the next trace; return False if it has no such setting.

    By default glibc returns the memory to the system at once, and the next pass fetches it again page by
    page, which takes a sixth of the time of recording a transformer block. The setting holds for the whole
    process.

    Source: mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl has no mallopt
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT) and mallopt(_MMAP_THRESHOLD, LARGEST))
