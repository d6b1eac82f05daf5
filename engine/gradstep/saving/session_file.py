"""An open session file, which is locked and to which only complete lines are appended."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final
from weakref import WeakSet

from gradstep.saving.reader import BadSessionFile, check_plain, unreadable

LOCK_TRIES: Final = 10
LOCK_PAUSE: Final = 0.01
"""Seconds between tries; a program that checks whether a file is in use locks it for a moment."""

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Busy(BadSessionFile):
    """Another program has the session file open."""

    def __init__(self, path: Path) -> None:
        """Make the error for the file at a path."""
        super().__init__(path, "another gradstep has this session open")


class SessionFile:
    """A locked file to which this program alone writes. The lock ends with `close` or with the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Lock an open file and take over its descriptor.

        Raises:
            Busy: Another program has the file open.
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
        _open.add(self)

    @classmethod
    def create(cls, path: Path) -> SessionFile:
        """Create and lock a file that only this user can read.

        Raises:
            FileExistsError: The path is taken.
            OSError: The file cannot be created.
            Busy: Another program has opened the new file already.
        """
        load_locks()  # before the file is created, so that it is empty for a short time only
        return cls(path, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600))

    @classmethod
    def open(cls, path: Path) -> SessionFile:
        """Open and lock an existing file for reading and appending.

        Raises:
            Busy: Another program has the file open.
            BadSessionFile: The path does not lead to a regular file, or the file is too large.
            OSError: The file cannot be opened for reading and writing.
        """
        file = cls(path, os.open(path, _FLAGS))
        try:
            check_plain(path, os.fstat(file._descriptor))
        except BadSessionFile:
            file.close()
            raise
        return file

    def read(self) -> bytes:
        """Return the whole content.

        Raises:
            BadSessionFile: The file cannot be read.
        """
        # By the same descriptor, because no other descriptor can read where locks are mandatory.
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
        """Append complete lines, which then survive the end of this process.

        Raises:
            OSError: The lines could not be written; if possible, the file is cut back to what it was before.
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
        """Flush the file to the disk, so that it survives a crash of the machine. May block for long.

        Raises:
            OSError: The file could not be flushed.
        """
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file and release the lock."""
        _open.discard(self)
        with suppress(OSError):
            os.close(self._descriptor)

    def let_go(self) -> None:
        """Close the file in a copy of the process; the lock, which both share, stays."""
        self.close()
        self._descriptor = -1

    def _lock(self) -> None:
        for attempt in range(LOCK_TRIES):
            if attempt:
                time.sleep(LOCK_PAUSE)
            if _locked(self._descriptor):
                return
        raise Busy(self.path)


def in_use(path: Path) -> bool:
    """Return whether any `SessionFile`, in this or another program, is open at a path; False if unknown."""
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
    """Return the module `portalocker`, or None if the system has no file locks."""
    try:
        import portalocker
    except ImportError:  # portalocker needs fcntl or msvcrt
        return None
    return portalocker


def _locked(descriptor: int) -> bool:
    """Try to lock an open file; return False only if another descriptor holds the lock.

    Without locks in the system or for this file, e.g. in a network folder, the file counts as locked.
    """
    portalocker = load_locks()
    if portalocker is None:
        return True
    try:
        portalocker.lock(descriptor, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException:
        return True
    return True


def _let_all_go() -> None:
    for file in list(_open):
        file.let_go()


_open: Final[WeakSet[SessionFile]] = WeakSet()
"""Files that may be open."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_all_go)
