"""What a learner can fetch: the files of the own export folder, to read and nothing else."""

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


class ReadOnlyFiles(SFTPServer):
    """An SFTP server that sees one folder, follows no link, and changes nothing."""

    def __init__(self, channel: SSHServerChannel[bytes], folder: str) -> None:
        """Show `folder` as `/`."""
        super().__init__(channel, chroot=folder.encode())

    def map_path(self, path: bytes) -> bytes:
        """Give the real path; what lies behind a link, wherever that leads, is as good as missing."""
        found = super().map_path(path)
        if not os.path.lexists(found):
            raise SFTPNoSuchFile("No such file")  # the system's own words would tell the server's folders
        if os.path.realpath(found) != os.path.normpath(found):
            raise SFTPNoSuchFile("No such file")
        return found

    def exit(self) -> None:
        """Say that all went well: else OpenSSH's `scp` takes it for a failure."""
        if self.channel.get_subsystem() == "sftp" and not self.channel.is_closing():
            self.channel.exit(0)

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Any:
        """Open a file to be read."""
        if pflags & WRITES:
            raise _refused()
        return super().open(path, pflags, attrs)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> Any:
        """Open a file in a newer version of the protocol, which is not offered."""
        raise _refused()

    def statvfs(self, path: bytes) -> Any:
        """Tell nothing of the server's disk."""
        raise _refused()

    def fstatvfs(self, file_obj: object) -> Any:
        """Tell nothing of the server's disk."""
        raise _refused()

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Refuse."""
        raise _refused()

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse."""
        raise _refused()

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse."""
        raise _refused()

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """Refuse."""
        raise _refused()

    def remove(self, path: bytes) -> None:
        """Refuse."""
        raise _refused()

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse."""
        raise _refused()

    def rmdir(self, path: bytes) -> None:
        """Refuse."""
        raise _refused()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse."""
        raise _refused()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse."""
        raise _refused()

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse."""
        raise _refused()

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse."""
        raise _refused()


def _refused() -> SFTPPermissionDenied:
    return SFTPPermissionDenied("files can be fetched from here, and nothing else")
