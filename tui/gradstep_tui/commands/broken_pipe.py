"""Standard output that takes no more."""

from __future__ import annotations

import os
import sys
from typing import Final

CANNOT_WRITE: Final = 1
"""Exit code."""


def stop_writing(error: OSError, command: str) -> int:
    """Give the exit code where standard output takes no more; a reader who has seen enough is no error.

    Args:
        error: What writing raised.
        command: Who complains, where there is something to complain about.
    """
    # Python flushes standard output once more at its exit, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    print(f"{command}: cannot write: {error.strerror}", file=sys.stderr)
    return CANNOT_WRITE
