"""Writes to a descriptor that may not accept all bytes at once."""

from __future__ import annotations

import asyncio
import os


class NonblockingWriter:
    """Writes to a non-blocking descriptor; bytes that it does not accept now are written when it can."""

    def __init__(self, descriptor: int, most: int) -> None:
        """Write at most `most` bytes at a time to a descriptor, which the caller has to close."""
        self._descriptor, self._most = descriptor, most
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._watching = False

    @property
    def waiting(self) -> int:
        """Number of bytes that are not written yet."""
        return len(self._unsent)

    def send(self, data: bytes) -> None:
        """Write data, now or later; drop it if nobody has the other end open."""
        self._unsent += data
        self._flush()

    def close(self) -> None:
        """Drop the bytes that are not written yet."""
        self._unsent.clear()
        self._watch(False)

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._descriptor, self._unsent[: self._most])]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()
        self._watch(bool(self._unsent))

    def _watch(self, on: bool) -> None:
        if on and not self._watching:
            self._loop.add_writer(self._descriptor, self._flush)
        elif not on and self._watching:
            self._loop.remove_writer(self._descriptor)
        self._watching = on
