"""The terminal belongs to the screen: what other code writes to it by a descriptor's number goes nowhere.

A script's own `print` is kept and shown. What a C++ library writes, or a program that the script starts,
passes Python's streams by; on the terminal it would spoil the screen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO


@contextmanager
def terminal_for_the_screen() -> Iterator[None]:
    """While it lasts, Python's own streams lead where they did, and descriptors 1 and 2 nowhere.

    Textual draws on `sys.__stderr__`, which may be a file; standard output has to be a terminal.
    """
    ours = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    with ExitStack() as stack:
        out, err = sys.stdout, sys.stderr
        if sys.platform != "win32":  # the console there is reached by the descriptor itself
            out, err = (stack.enter_context(_elsewhere(number, one)) for number, one in ((1, out), (2, err)))
        try:
            sys.stdout, sys.stderr = out, err
            sys.__stdout__ = sys.__stderr__ = out  # type: ignore[misc,assignment]
            yield
        finally:
            sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = ours  # type: ignore[misc]


@contextmanager
def _elsewhere(number: int, stream: TextIO) -> Iterator[TextIO]:
    """Give a stream to where a descriptor leads, which leads nowhere meanwhile."""
    stream.flush()
    kept, nowhere = os.dup(number), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    try:
        with open(kept, "w", encoding=stream.encoding, errors="replace", buffering=1, closefd=False) as other:
            yield other
    finally:
        os.dup2(kept, number)
        os.close(kept)
