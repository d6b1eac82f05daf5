"""Bytes on their way into a file that may not take them all at once."""

from __future__ import annotations

import asyncio
import os


class Outlet:
    """Writes to a file that does not block; what it does not take now goes when it can."""

    def __init__(self, file: int, most: int) -> None:
        """Write at most so many bytes at a time to an open file, which stays the caller's to close."""
        self._file, self._most = file, most
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._writing = False

    @property
    def waiting(self) -> int:
        """How many bytes have not gone yet."""
        return len(self._unsent)

    def send(self, data: bytes) -> None:
        """Write; where nobody has the other end any more, it is lost."""
        self._unsent += data
        self._flush()

    def close(self) -> None:
        """Write no more."""
        self._unsent.clear()
        self._watch(False)

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._file, self._unsent[: self._most])]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()
        self._watch(bool(self._unsent))

    def _watch(self, on: bool) -> None:
        if on and not self._writing:
            self._loop.add_writer(self._file, self._flush)
        elif not on and self._writing:
            self._loop.remove_writer(self._file)
        self._writing = on
