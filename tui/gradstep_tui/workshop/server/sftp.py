"""A read-only SFTP server for the files that a learner has exported."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakSet

from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_EXCL,
    FXF_TRUNC,
    FXF_WRITE,
    SFTPAttrs,
    SFTPError,
    SFTPFailure,
    SFTPName,
    SFTPNoSuchFile,
    SFTPPermissionDenied,
    SFTPServer,
    SSHServerChannel,
)

WRITES = FXF_WRITE | FXF_APPEND | FXF_CREAT | FXF_TRUNC | FXF_EXCL
"""Flags that open a file for writing."""


MOST_OPEN: Final = 16
"""Largest number of files and folders that a client may have open."""

MOST_LISTED: Final = 1_000
"""Largest number of files that a folder is listed with."""

LARGEST_READ: Final = 1 << 15
"""Largest number of bytes that are read for one request; clients ask again for the rest."""

LONGEST_REQUEST: Final = 34_000
"""Largest number of bytes of one request."""

LONGEST_PATH: Final = 1_024
"""Largest number of bytes of a path."""

LONGEST_COMMAND: Final = 300
"""Largest number of characters of an `scp` command: names of exports have at most 60."""

MOST_WILDCARDS: Final = 4
"""Largest number of wildcards in an `scp` command."""

ONLY_FETCHED: Final = "files can only be fetched from here"
NO_FOLDER: Final = "name a file, or type '*' for all of them"


def problem_of(command: str) -> str:
    """Return what is wrong with an `scp` command; an empty text if it may be served."""
    if len(command) > LONGEST_COMMAND:
        return f"the command is longer than {LONGEST_COMMAND} characters: fetch fewer files at a time"
    if sum(command.count(wildcard) for wildcard in "*?[") > MOST_WILDCARDS:
        return f"the command has more than {MOST_WILDCARDS} wildcards"
    try:
        words = shlex.split(command)
    except ValueError:
        return "the command has a quotation mark that is not closed"
    if "-t" in words:
        return ONLY_FETCHED
    whole_folder = bool(words) and posixpath.basename(words[-1]) in ("", ".", "..")
    return NO_FOLDER if whole_folder else ""


class ReadOnlyFiles(SFTPServer):
    """An SFTP server that serves one folder, follows no link, and changes nothing."""

    def __init__(self, channel: SSHServerChannel[bytes], folder: str) -> None:
        """Serve `folder` as `/`."""
        super().__init__(channel, chroot=folder.encode())
        self._files = 0
        self._listings: WeakSet[AsyncIterator[SFTPName]] = WeakSet()
        """Listings that are not closed; asyncssh tells nobody when it closes one."""

    def map_path(self, path: bytes) -> bytes:
        """Return the real path of a file.

        Raises:
            SFTPNoSuchFile: there is no such file, or a link leads to it.
        """
        if len(path) > LONGEST_PATH:
            raise SFTPNoSuchFile("No such file")
        found = super().map_path(path)
        if not os.path.lexists(found):
            raise SFTPNoSuchFile("No such file")  # the system's own message would reveal the server's folders
        if os.path.realpath(found) != os.path.normpath(found):
            raise SFTPNoSuchFile("No such file")
        return found

    def exit(self) -> None:
        """Send the exit status 0: without it, OpenSSH's `scp` reports a failure."""
        if self.channel.get_subsystem() == "sftp" and not self.channel.is_closing():
            self.channel.exit(0)

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Any:
        """Open a file for reading.

        Raises:
            SFTPPermissionDenied: the file would be opened for writing.
            SFTPFailure: too many files are open.
        """
        if pflags & WRITES:
            raise _refused()
        self._check_open()
        with _without_paths():
            opened = super().open(path, pflags, attrs)
        self._files += 1
        return opened

    def stat(self, path: bytes) -> Any:
        """Return the attributes of a file."""
        with _without_paths():
            return super().stat(path)

    def lstat(self, path: bytes) -> Any:
        """Return the attributes of a file, which is no link."""
        with _without_paths():
            return super().lstat(path)

    def close(self, file_obj: object) -> Any:
        """Close a file."""
        self._files -= 1
        return super().close(file_obj)

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        """Read a part of a file: at most `LARGEST_READ` bytes."""
        return super().read(file_obj, offset, min(size, LARGEST_READ))

    def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """List a folder: at most `MOST_LISTED` files.

        Raises:
            SFTPFailure: too many files are open.
        """
        self._check_open()
        listing = self._list(path)
        self._listings.add(listing)
        return listing

    async def _list(self, path: bytes) -> AsyncIterator[SFTPName]:
        listed = 0
        with _without_paths():
            async for name in super().scandir(path):
                yield name
                listed += 1
                if listed >= MOST_LISTED:
                    return

    def _check_open(self) -> None:
        if self._files + len(self._listings) >= MOST_OPEN:
            raise SFTPFailure(f"{MOST_OPEN} files are open: close one first")

    def format_user(self, uid: int | None) -> str:
        """Return the owner of every file in a long listing: not the server's account."""
        return "learner"

    def format_group(self, gid: int | None) -> str:
        """Return the group of every file in a long listing: not the server's account."""
        return "learner"

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> Any:
        """Refuse to open a file in version 5 or 6 of the protocol, which the server does not offer."""
        raise _refused()

    def statvfs(self, path: bytes) -> Any:
        """Refuse to describe the server's disk."""
        raise _refused()

    def fstatvfs(self, file_obj: object) -> Any:
        """Refuse to describe the server's disk."""
        raise _refused()

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Refuse to write to a file."""
        raise _refused()

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse to change the attributes of a file."""
        raise _refused()

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse to change the attributes of a link."""
        raise _refused()

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """Refuse to change the attributes of an open file."""
        raise _refused()

    def remove(self, path: bytes) -> None:
        """Refuse to remove a file."""
        raise _refused()

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse to make a folder."""
        raise _refused()

    def rmdir(self, path: bytes) -> None:
        """Refuse to remove a folder."""
        raise _refused()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse to rename a file."""
        raise _refused()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse to rename a file."""
        raise _refused()

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse to make a symbolic link."""
        raise _refused()

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse to make a hard link."""
        raise _refused()


@contextmanager
def _without_paths() -> Iterator[None]:
    """Run a block whose errors tell the client no path of the server: `scp` would show it.

    Raises:
        SFTPError: the system refuses something.
    """
    try:
        yield
    except SFTPError:
        raise
    except OSError as error:
        kind = SFTPNoSuchFile if isinstance(error, FileNotFoundError) else SFTPFailure
        raise kind(error.strerror or "the file cannot be read") from None


def _refused() -> SFTPPermissionDenied:
    return SFTPPermissionDenied(ONLY_FETCHED)
