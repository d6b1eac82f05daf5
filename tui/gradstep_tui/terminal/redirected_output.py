"""Redirects descriptors 1 and 2 while a screen is drawn, so that only the screen writes to the terminal.

The output of a script's own `print` is captured and shown. The output of a C++ library, or of a program that
the script starts, bypasses Python's streams and would spoil the screen. On Linux it is kept in memory and
shown together with the script's output; on other systems it is discarded.
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
"""Bytes that are kept until they are read. Writing more fails; an ordinary file could fill the disk instead,
and a pipe could block the writer for ever."""


@contextmanager
def terminal_for_the_screen() -> Iterator[None]:
    """Redirect descriptors 1 and 2 for the duration; Python's own streams keep writing to the terminal.

    Textual draws on `sys.__stderr__`, which becomes the stream of standard output: standard error may be a
    file, but standard output has to be a terminal.
    """
    ours = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    with ExitStack() as stack:
        out, err = sys.stdout, sys.stderr
        if sys.platform != "win32":  # Windows reaches the console by the descriptor itself
            place = stack.enter_context(_place())
            out, err = (
                stack.enter_context(_elsewhere(number, stream, place))
                for number, stream in ((1, out), (2, err))
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
    """Yield a stream to the file behind a descriptor, and redirect the descriptor for the duration.

    Args:
        number: The descriptor.
        stream: Python's stream on the descriptor.
        place: Descriptor of the file to redirect to.
    """
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
    """Yield a descriptor for redirected output: on Linux memory that is read, elsewhere the null device."""
    with ExitStack() as stack:
        if sys.platform == "linux":
            place = os.memfd_create("written", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            stack.enter_context(past_the_streams(_Written(place).read))
        else:
            place = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, place)
        yield place


class _Written:
    """Output collected in memory of a fixed size, also that of child processes."""

    def __init__(self, place: int) -> None:
        """Limit the memory behind the descriptor `place` to `ROOM` bytes."""
        import fcntl

        os.ftruncate(place, ROOM)
        fcntl.fcntl(place, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        self._place, self._lock = place, Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """Return the text written since the last call, and empty the memory."""
        with self._lock:
            _flush_c()
            size = os.lseek(self._place, 0, os.SEEK_CUR)
            if not size:
                return ""
            data = os.pread(self._place, size, 0)
            os.lseek(self._place, 0, os.SEEK_SET)
            return self._decoder.decode(data)


def _flush_c() -> None:
    """Flush the standard output of the C library, which buffers it unless it is a terminal."""
    with suppress(OSError, ValueError, AttributeError):  # another C library may name the stream differently
        c = ctypes.CDLL(None)
        c.fflush(ctypes.c_void_p.in_dll(c, "stdout"))
