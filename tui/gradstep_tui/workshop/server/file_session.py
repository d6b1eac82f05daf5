"""One SSH channel on which `scp` or `sftp` fetches the learner's exported files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.access.asyncssh_internals import StreamSession
from gradstep_tui.workshop.server.access.intake import SOON, UNSENT
from gradstep_tui.workshop.server.access.rate_limits import TokenBucket
from gradstep_tui.workshop.server.sftp import LONGEST_REQUEST, ReadOnlyFiles, problem_of

if TYPE_CHECKING:
    from asyncssh import DataType, SFTPAttrs, SSHServerChannel

    from gradstep_tui.workshop.server.access.auth import ClientConnection
    from gradstep_tui.workshop.server.workshop import Workshop

NO_FILES: Final = "Nobody has this name yet: log in to a bench once before you fetch files."

SMALLEST_PACKET: Final = 1_024
"""Smallest number of bytes that a client may want in a packet; each packet costs the server some work."""

REQUESTS: Final = 400.0
"""Requests for files per second in the long run."""

REQUESTS_AT_ONCE: Final = 400.0
"""Requests for files after a pause."""


class FileSession(StreamSession):
    """A session on one SSH channel that serves files, at the pace at which the client reads them."""

    def __init__(self, workshop: Workshop, connection: ClientConnection) -> None:
        """Serve a client that has logged in."""
        super().__init__(partial(_LoggedFiles, workshop.exports_of(connection.name), self._fetched))
        self._workshop, self._connection = workshop, connection
        self._served = False
        self._requests = TokenBucket(REQUESTS, REQUESTS_AT_ONCE)

    def connection_made(self, chan: Any) -> None:
        """Close the connection of a client that wants a packet for every few bytes."""
        super().connection_made(chan)
        if self.packet_size < SMALLEST_PACKET and self._connection.admission is not None:
            self._connection.admission.drop(f"packets of {self.packet_size} bytes were wanted")

    def exec_requested(self, command: str) -> bool:
        """Accept the commands that `scp` sends, and no others."""
        allowed = super().exec_requested(command)
        if not allowed:
            self._connection.refuse("a command")
        return allowed

    def subsystem_requested(self, subsystem: str) -> bool:
        """Accept `sftp`, which sees the learner's exports only."""
        return subsystem == "sftp" or self._connection.refuse(f"the subsystem {subsystem[:40]!r}")

    async def read(self, datatype: DataType, n: int = -1, exact: bool = False) -> bytes:
        """Read from a client of the file server, as soon as it has its turn and has read its answers.

        Raises:
            IncompleteReadError: the request is too long.
        """
        if n > LONGEST_REQUEST:
            self._connection.refuse(f"something in {n:,} bytes")
            raise asyncio.IncompleteReadError(b"", n)
        await asyncio.sleep(self._requests.take())
        await self._until_read()
        return await super().read(datatype, n, exact)

    async def drain(self, datatype: DataType) -> None:
        """Wait until a client of the file server has read its answers."""
        await self._until_read()
        await super().drain(datatype)

    def leave(self, status: int) -> None:
        """Close the channel with an exit status."""
        if self.channel is not None and not self.channel.is_closing():
            self.channel.exit(min(status, 255))

    # Private

    def _serve_files(self) -> bool:
        """Begin to serve files, or refuse with a sentence; return whether they are served."""
        assert self.channel is not None
        problem = problem_of(self.channel.get_command() or "")
        if not problem and self._connection.claim is None:
            problem = NO_FILES
        if not problem:
            try:
                self._workshop.make_exports(self._connection.name)
            except EngineError as error:
                problem = str(error)
        if problem:
            self._refuse_files(problem)
            return False
        super().session_started()
        self._workshop.log("files", **self._connection.facts, asked=self.channel.get_command() or "sftp")
        self._served = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Log the end of a transfer."""
        if self._served:
            why = "done" if exc is None else f"{type(exc).__name__}: {exc}"
            self._workshop.log("files closed", **self._connection.facts, why=why)
        super().connection_lost(exc)

    def _fetched(self, file: str) -> None:
        self._workshop.log("fetch", **self._connection.facts, file=file)

    @property
    def _unsent(self) -> int:
        """Number of bytes that wait because the client does not read."""
        admission = self._connection.admission
        if admission is None or self.channel is None or self.channel.is_closing():
            return 0
        return admission.unsent + self.channel.get_write_buffer_size()

    async def _until_read(self) -> None:
        while self._unsent > UNSENT:
            await asyncio.sleep(SOON)

    def _refuse_files(self, sentence: str) -> None:
        """Refuse to serve files; `scp` shows errors in its own protocol, `sftp` shows standard error."""
        assert self.channel is not None
        self._workshop.log("refused", **self._connection.facts, why=sentence)
        if self.channel.get_command() is None:
            self.channel.write_stderr(f"{sentence}\n".encode())
        else:
            self.channel.write(f"\x02scp: {sentence}\n".encode())
        self.leave(1)


class _LoggedFiles(ReadOnlyFiles):
    """An SFTP server that logs which files are fetched."""

    def __init__(self, folder: str, fetched: Callable[..., None], channel: SSHServerChannel[bytes]) -> None:
        super().__init__(channel, folder)
        self._fetched = fetched

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Any:
        file = super().open(path, pflags, attrs)
        self._fetched(file=os.path.basename(path).decode(errors="replace"))
        return file
