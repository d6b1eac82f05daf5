"""A learner's process and its line to the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

import msgspec

from gradstep_tui.workshop.wire.messages import FromChild, Stop, ToChild, Welcome, line_of, to_child

LOST = "the line to the workshop is lost"


class Link:
    """Sends from any thread, and has what comes handed on."""

    def __init__(self, line: socket.socket, lost: Callable[[], object] = lambda: None) -> None:
        """Use a connected socket; `lost` is called, in another thread, when the server is gone."""
        self._socket, self._lost = line, lost
        self._lines = line.makefile("rb")
        self._sending = Lock()
        self.broken = False
        """Whether the server is gone: nothing is kept any more."""

    def welcome(self) -> Welcome:
        """Wait for the first message.

        Raises:
            ConnectionError: the server is gone.
        """
        line = self._lines.readline()
        if not line:
            raise ConnectionError(LOST)
        message = to_child.decode(line)
        assert isinstance(message, Welcome)
        return message

    def listen(self, handle: Callable[[ToChild], None]) -> None:
        """Hand on what comes, in a thread of its own; at the end, that there is an end."""
        Thread(target=self._listen, args=(handle,), name="link", daemon=True).start()

    def send(self, message: FromChild) -> None:
        """Tell the server something."""
        try:
            with self._sending:
                self._socket.sendall(line_of(message))
        except OSError:
            self.broken = True

    def _listen(self, handle: Callable[[ToChild], None]) -> None:
        with suppress(OSError, msgspec.DecodeError):
            for line in self._lines:
                handle(to_child.decode(line))
        self.broken = True
        self._lost()
        handle(Stop(LOST))
