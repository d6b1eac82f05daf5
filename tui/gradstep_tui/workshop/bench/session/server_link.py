"""The connection of a bench process to the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

import msgspec

from gradstep_tui.workshop.wire.messages import FromBench, Stop, ToBench, Welcome, line_of, to_bench
from gradstep_tui.workshop.wire.reasons import StopReason


class ServerLink:
    """Sends messages from any thread, and passes the server's messages to a callback."""

    def __init__(self, line: socket.socket, lost: Callable[[], object] = lambda: None) -> None:
        """Use a connected socket.

        Args:
            line: The socket.
            lost: Called from another thread if the connection is lost.
        """
        self._socket, self._lost = line, lost
        self._lines = line.makefile("rb")
        self._send_lock = Lock()
        self.broken = False
        """Whether the connection is lost: actions are no longer saved."""

    def welcome(self) -> Welcome:
        """Wait for the server's first message, and return it.

        Raises:
            ConnectionError: the server has closed the connection.
        """
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the connection to the workshop is lost")
        message = to_bench.decode(line)
        assert isinstance(message, Welcome)
        return message

    def listen(self, handle: Callable[[ToBench], None]) -> None:
        """Call `handle` with every message, from another thread; with a `Stop` if the connection is lost."""
        Thread(target=self._listen, args=(handle,), name="link", daemon=True).start()

    def send(self, message: FromBench) -> None:
        """Send a message to the server."""
        try:
            with self._send_lock:
                self._socket.sendall(line_of(message))
        except OSError:
            self.broken = True

    def _listen(self, handle: Callable[[ToBench], None]) -> None:
        with suppress(OSError, msgspec.DecodeError):
            for line in self._lines:
                handle(to_bench.decode(line))
        self.broken = True
        self._lost()
        handle(Stop(StopReason.CONNECTION_LOST))
