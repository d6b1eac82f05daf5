"""One connection's way in: its place among the others, its time to log in, and its pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import asyncssh

from gradstep_tui.workshop.server.access.intake import Intake
from gradstep_tui.workshop.server.access.rate_limits import RUSH, ConnectionLimiter, Limits

TOO_SLOW: Final = "nobody has logged in for {seconds:.0f} seconds: connect again"
UNUSED: Final = "nothing was requested for {seconds:.0f} seconds: connect again"


class Admission:
    """One connection, as it is counted, timed and slowed."""

    def __init__(
        self,
        connection: asyncssh.SSHServerConnection,
        address: str,
        limiter: ConnectionLimiter,
        limits: Limits,
        log: Callable[..., None],
    ) -> None:
        """Ask the limiter for a place; without one, the connection is closed."""
        self.address = address
        self.has_bench = False
        self._connection, self._limiter, self._limits, self._log = connection, limiter, limits, log
        self._began = time.monotonic()
        self._closed = self._begun = False
        self._timer: asyncio.TimerHandle | None = None
        self._intake = Intake(connection, self._admit, self.drop)
        refused = limiter.enter(self)
        if refused:
            self.drop(refused)
        else:
            self._end_after(limits.exchange, self._end_exchange)

    @property
    def is_silent(self) -> bool:
        """Whether the client has not done its part of the key exchange."""
        return self._connection.get_extra_info("send_cipher") is None

    @property
    def age(self) -> float:
        """Seconds since the connection was made."""
        return time.monotonic() - self._began

    @property
    def unsent(self) -> int:
        """Number of bytes that wait because the client does not read."""
        return self._intake.unsent

    def know(self, name: str) -> None:
        """Count the client as logged in, and give it some time to open a channel.

        Raises:
            DisconnectError: there are too many connections.
        """
        refused = self._limiter.know(self, name)
        if refused:
            self._log("refused", address=self.address, name=name, why=refused, seconds=round(self.age, 3))
            raise asyncssh.DisconnectError(asyncssh.DISC_TOO_MANY_CONNECTIONS, refused)
        self._intake.trust()
        self._end_after(self._limits.unused, self._end_unused)

    def begin(self, *, bench: bool) -> None:
        """Note that a bench or a file transfer has begun."""
        self._begun, self.has_bench = True, bench

    def drop(self, why: str) -> None:
        """Close the connection without a word to the client, and free its place."""
        if not self._closed:
            self._log("refused", address=self.address, why=why, seconds=round(self.age, 3))
            self.close()
            self._connection.abort()

    def close(self) -> None:
        """Free the connection's place."""
        self._closed = True
        self._intake.close()
        self._limiter.leave(self)
        if self._timer is not None:
            self._timer.cancel()

    def _admit(self) -> float | None:
        """Return the seconds to wait before the key exchange; None if the connection was dropped instead."""
        wait = self._limiter.wait_before_exchange(self.address)
        if wait is None:
            self.drop(RUSH)
        return wait

    def _end_after(self, seconds: float, end: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, end)

    def _end_exchange(self) -> None:
        """End a connection without a key exchange; give others, which may wait for a person, more time."""
        if self.is_silent:
            self._say_and_drop("the key exchange took too long", TOO_SLOW, self._limits.exchange)
        else:
            self._end_after(self._limits.login, self._end_login)

    def _end_login(self) -> None:
        self._say_and_drop("the login took too long", TOO_SLOW, self._limits.login)

    def _end_unused(self) -> None:
        """End a connection on which nothing has begun, to make room for others."""
        if not self._begun:
            self._say_and_drop("nothing was requested", UNUSED, self._limits.unused)

    def _say_and_drop(self, why: str, words: str, seconds: float) -> None:
        if not self._closed:
            self._log("refused", address=self.address, why=why, seconds=round(self.age, 3))
            self.close()
            self._connection.disconnect(asyncssh.DISC_BY_APPLICATION, words.format(seconds=seconds))
