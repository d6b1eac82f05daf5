"""The terminal belongs to the screen: what other code writes to it by a descriptor's number goes elsewhere.

A script's own `print` is kept and shown. What a C++ library writes, or a program that the script starts,
passes Python's streams by; on the terminal it would spoil the screen. Linux keeps it in memory, to be shown
with what the script printed; elsewhere it goes nowhere.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import Final, TextIO

from gradstep.captured_output import past_the_streams

ROOM: Final = 4_000_000
"""Bytes that are kept until somebody reads them. Whoever writes more is told that there is no more room: a
file would grow for as long as the disk lasts, and a pipe would have the writer wait, perhaps for ever."""


@contextmanager
def terminal_for_the_screen() -> Iterator[None]:
    """While it lasts, Python's own streams lead where they did, and descriptors 1 and 2 elsewhere.

    Textual draws on `sys.__stderr__`, which may be a file; standard output has to be a terminal.
    """
    ours = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    with ExitStack() as stack:
        out, err = sys.stdout, sys.stderr
        if sys.platform != "win32":  # the console there is reached by the descriptor itself
            place = stack.enter_context(_place())
            out, err = (
                stack.enter_context(_elsewhere(number, one, place)) for number, one in ((1, out), (2, err))
            )
            stack.callback(_flush_c)
        try:
            sys.stdout, sys.stderr = out, err
            sys.__stdout__ = sys.__stderr__ = out  # type: ignore[misc,assignment]
            yield
        finally:
            sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = ours  # type: ignore[misc]


@contextmanager
def _elsewhere(number: int, stream: TextIO, place: int) -> Iterator[TextIO]:
    """Give a stream to where a descriptor leads, which leads to another place meanwhile."""
    stream.flush()
    kept = os.dup(number)
    os.dup2(place, number)
    try:
        with open(kept, "w", encoding=stream.encoding, errors="replace", buffering=1, closefd=False) as other:
            yield other
    finally:
        os.dup2(kept, number)
        os.close(kept)


@contextmanager
def _place() -> Iterator[int]:
    """Give a descriptor to write to; while it lasts, what is written there is read, where that can be."""
    with ExitStack() as stack:
        if sys.platform == "linux":
            place = os.memfd_create("written", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            stack.enter_context(past_the_streams(_Written(place).read))
        else:
            place = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, place)
        yield place


class _Written:
    """Memory of a fixed size behind a descriptor, to whose end all write, child processes too."""

    def __init__(self, place: int) -> None:
        """Have it hold no more than `ROOM`."""
        import fcntl

        os.ftruncate(place, ROOM)
        fcntl.fcntl(place, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        self._place, self._lock = place, Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """Give what was written since the last time, and make room."""
        with self._lock:
            _flush_c()
            size = os.lseek(self._place, 0, os.SEEK_CUR)
            if not size:
                return ""
            data = os.pread(self._place, size, 0)
            os.lseek(self._place, 0, os.SEEK_SET)
            return self._decoder.decode(data)


def _flush_c() -> None:
    """Have C's standard output write what it holds back: away from a terminal, it gathers."""
    with suppress(OSError, ValueError, AttributeError):  # another C library may call it otherwise
        c = ctypes.CDLL(None)
        c.fflush(ctypes.c_void_p.in_dll(c, "stdout"))
