"""An open session file: locked, and only ever appended to, in whole lines."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from gradstep.saving.reader import BadSessionFile, check_plain, unreadable

LOCK_TRIES: Final = 10
LOCK_PAUSE: Final = 0.01
"""Seconds between tries: a program that only looks whether a file is in use holds it for a moment."""

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Busy(BadSessionFile):
    """Another program has the session open."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(path, "another gradstep has this session open")


class SessionFile:
    """A file that this program alone writes to; the lock ends with `close`, or with the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over an open file.

        Raises:
            Busy: another program has it open.
        """
        self.path = path
        self._descriptor = descriptor
        try:
            self._lock()
            found = os.fstat(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._size = found.st_size
        self._can_vanish = found.st_nlink > 0

    @classmethod
    def create(cls, path: Path) -> SessionFile:
        """Make a new file that only this user can read.

        Raises:
            FileExistsError: something has this name.
            OSError: it cannot be made.
            Busy: another program was faster to open it.
        """
        load_locks()  # loaded first: the file is not to be empty for longer than it must
        return cls(path, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600))

    @classmethod
    def open(cls, path: Path) -> SessionFile:
        """Open a file that is there, to read it and to go on with it.

        Raises:
            Busy: another program has it open.
            BadSessionFile: it is no plain file.
            OSError: it cannot be opened for reading and writing.
        """
        file = cls(path, os.open(path, _FLAGS))
        try:
            check_plain(path, os.fstat(file._descriptor))
        except BadSessionFile:
            file.close()
            raise
        return file

    def read(self) -> bytes:
        """Give all that is in it.

        Raises:
            BadSessionFile: it cannot be read.
        """
        # Not through another descriptor: where locks are mandatory, that one could not read.
        parts = []
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            while part := os.read(self._descriptor, 1 << 20):
                parts.append(part)
        except OSError as error:
            raise unreadable(self.path, error) from None
        data = b"".join(parts)
        self._size = len(data)
        return data

    def append(self, lines: bytes) -> None:
        """Write whole lines, so that they survive this process.

        Raises:
            OSError: they could not be written; what was there before is whole, if the system lets it be.
        """
        if self._can_vanish and os.fstat(self._descriptor).st_nlink == 0:
            raise FileNotFoundError(2, "the file was deleted")
        try:
            left = memoryview(lines)
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(lines)

    def sync(self) -> None:
        """Have the system write it to the disk, so that it survives the machine; may take long.

        Raises:
            OSError: it could not.
        """
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let others open it."""
        with suppress(OSError):
            os.close(self._descriptor)

    def _lock(self) -> None:
        for attempt in range(LOCK_TRIES):
            if attempt:
                time.sleep(LOCK_PAUSE)
            if _locked(self._descriptor):
                return
        raise Busy(self.path)


def in_use(path: Path) -> bool:
    """Whether another program, or a writer in this one, has the file open; False where none can tell."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


@cache
def load_locks() -> ModuleType | None:
    """Give what locks files; None where the system has nothing for it to use."""
    try:
        import portalocker
    except ImportError:  # it needs fcntl, or msvcrt
        return None
    return portalocker


def _locked(descriptor: int) -> bool:
    """Lock an open file; True also where the system has no locks, or none for this file."""
    portalocker = load_locks()
    if portalocker is None:
        return True
    try:
        portalocker.lock(descriptor, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException:  # e.g. a network folder without locks
        return True
    return True
