"""A read-only SFTP server for the files that a learner has exported."""

from __future__ import annotations

import os
from typing import Any

from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_EXCL,
    FXF_TRUNC,
    FXF_WRITE,
    SFTPAttrs,
    SFTPNoSuchFile,
    SFTPPermissionDenied,
    SFTPServer,
    SSHServerChannel,
)

WRITES = FXF_WRITE | FXF_APPEND | FXF_CREAT | FXF_TRUNC | FXF_EXCL
"""Flags that open a file for writing."""


class ReadOnlyFiles(SFTPServer):
    """An SFTP server that serves one folder, follows no link, and changes nothing."""

    def __init__(self, channel: SSHServerChannel[bytes], folder: str) -> None:
        """Serve `folder` as `/`."""
        super().__init__(channel, chroot=folder.encode())

    def map_path(self, path: bytes) -> bytes:
        """Return the real path of a file.

        Raises:
            SFTPNoSuchFile: there is no such file, or a link leads to it.
        """
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
        """
        if pflags & WRITES:
            raise _refused()
        return super().open(path, pflags, attrs)

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


def _refused() -> SFTPPermissionDenied:
    return SFTPPermissionDenied("files can only be fetched from here")
