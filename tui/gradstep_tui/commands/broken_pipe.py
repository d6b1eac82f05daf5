"""Handles a standard output that can no longer be written to."""

from __future__ import annotations

import os
import sys
from typing import Final

CANNOT_WRITE: Final = 1
"""Exit code if the output cannot be written."""


def stop_writing(error: OSError, command: str) -> int:
    """Stop writing to standard output and return the exit code; a closed pipe is not an error.

    Args:
        error: Error raised by writing.
        command: Command that the error message names.
    """
    # Python flushes standard output again at exit, which would raise another error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    print(f"{command}: cannot write the output: {error.strerror}", file=sys.stderr)
    return CANNOT_WRITE
