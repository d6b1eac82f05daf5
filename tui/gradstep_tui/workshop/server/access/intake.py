"""The pace of one client: how fast its bytes are worked through, and when it has to read first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import asyncssh

from gradstep_tui.workshop.server.access.asyncssh_internals import RawConnection
from gradstep_tui.workshop.server.access.rate_limits import TokenBucket

PIECE: Final = 4096
"""Largest number of bytes that are worked through before other clients have their turn."""

BYTES: Final = 65_536.0
"""Bytes per second in the long run: more than any bench or file transfer asks for."""

BYTES_AT_ONCE: Final = 262_144.0
"""Bytes after a pause."""

WORK: Final = 0.1
"""Seconds of the server's work per second in the long run."""

WORK_AT_ONCE: Final = 0.5
"""Seconds of the server's work after a pause."""

EXCHANGE: Final = 0.02
"""Seconds of work that a key exchange counts for; it goes on after its packet has been taken."""

UNSENT: Final = 1 << 17
"""Bytes that may wait for a client that does not read; with more, a bench or a file has to wait."""

MOST_UNSENT: Final = 2 * UNSENT
"""Bytes that may wait for a client that does not read; with more, nothing that it sends is looked at."""

MOST_DEFERRED: Final = 1 << 19
"""Bytes that may wait for the end of a key exchange; with more, the connection is closed."""

SOON: Final = 0.02
"""Seconds between two looks at whether a client has read its answers."""

STRANGERS_PACKET: Final = 16_384
"""Largest number of bytes in a packet before the login: more than any key exchange or key has."""

PACKET: Final = 36_864
"""Largest number of bytes in a packet after the login: RFC 4253 wants 35,000."""


class Intake:
    """Passes a client's bytes on in small pieces, and no faster than its share of the server allows."""

    def __init__(
        self,
        connection: asyncssh.SSHServerConnection,
        admit: Callable[[], float | None],
        drop: Callable[[str], None],
    ) -> None:
        """Begin before the client has sent anything.

        Args:
            connection: The client's connection.
            admit: Called once, with the first bytes; returns the seconds to wait, or None if it has dropped
                the connection.
            drop: Called with a reason to close the connection.
        """
        self._raw = RawConnection(connection)
        self._pass_on = self._raw.intercept(self._receive)
        self._raw.limit_packets(STRANGERS_PACKET)
        self._admit, self._drop = admit, drop
        self._admitted = self._closed = False
        self._waiting = bytearray()
        self._bytes, self._work = TokenBucket(BYTES, BYTES_AT_ONCE), TokenBucket(WORK, WORK_AT_ONCE)
        self._exchanges = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def unsent(self) -> int:
        """Number of bytes that wait because the client does not read or does not finish a key exchange."""
        return 0 if self._closed else self._raw.unsent + self._raw.deferred

    def trust(self) -> None:
        """Accept packets of the usual size, because the client has logged in."""
        self._raw.limit_packets(PACKET)

    def close(self) -> None:
        """Drop what is not passed on yet."""
        self._closed = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _receive(self, data: bytes) -> None:
        """Take bytes from the socket."""
        if self._closed:
            return
        self._waiting += data
        if not self._admitted:
            self._admitted = True
            wait = self._admit()
            if wait is not None:
                self._feed_after(wait)
        elif self._timer is None:
            self._feed()

    def _feed_after(self, wait: float) -> None:
        self._raw.pause(True)
        self._timer = asyncio.get_running_loop().call_later(wait, self._feed)

    def _feed(self) -> None:
        """Pass on one piece, unless the client has to read first; come back for the rest."""
        self._timer = None
        if self._closed or self._raw.is_closing:
            return
        if self._raw.unsent > MOST_UNSENT:
            self._feed_after(SOON)
            return
        if self._raw.deferred > MOST_DEFERRED:
            self._drop("the client does not finish a key exchange")
            return
        piece = bytes(self._waiting[:PIECE])
        del self._waiting[:PIECE]
        wait = max(self._bytes.take(len(piece)), self._work.take(self._work_of(piece)))
        if self._closed:
            return
        if wait or self._waiting:
            self._feed_after(wait)
        else:
            self._raw.pause(False)

    def _work_of(self, piece: bytes) -> float:
        """Pass on a piece, and return the seconds of work that it cost."""
        began = time.thread_time()
        if piece:
            self._pass_on(piece)
        work = time.thread_time() - began
        before, self._exchanges = self._exchanges, self._raw.exchanges_keys
        return work + (EXCHANGE if self._exchanges and not before else 0.0)
