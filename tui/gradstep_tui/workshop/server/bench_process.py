"""A learner who is logged in: a terminal, a process, and the line between that and the class."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from gradstep_tui.workshop.server.access.rate_limits import Bucket
from gradstep_tui.workshop.server.processes.nonblocking_writer import Outlet
from gradstep_tui.workshop.server.processes.pty import RESTORE, Terminal
from gradstep_tui.workshop.wire.messages import LONGEST, Stop, ToChild, Welcome, from_child, line_of

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.hub import Hub
    from gradstep_tui.workshop.server.processes.forkserver_client import Process, Warm

STOPPED: Final = (
    b"your bench has stopped; what was done is kept, only a run under way is not: log in again\r\n"
)

GRACE: Final = 3.0
"""Seconds that a process may take to leave in order."""

MESSAGES: Final = 60.0
"""Messages a second that a process may send in the long run."""

UNSENT: Final = 64 << 20
"""Bytes that may wait for a process that does not read: it is stuck then."""


class Client(Protocol):
    """What a seat needs of its SSH channel."""

    def write(self, data: bytes) -> None:
        """Send it to the learner's terminal."""

    def pause(self, on: bool) -> None:
        """Have the client wait before it sends more, or not."""

    def leave(self, status: int) -> None:
        """Close the channel."""


class Seat:
    """Made when a learner's shell is asked for; lasts as long as the process, also without the client."""

    def __init__(
        self,
        name: str,
        hub: Hub,
        client: Client,
        size: tuple[int, int],
        log: Callable[..., None],
    ) -> None:
        """Open the terminal and the line; `start` begins the process."""
        self.ended = asyncio.Event()
        """Set once the process is gone, and all that it said is heard."""

        self.name, self._hub, self._client, self._log = name, hub, client, log
        self._loop = asyncio.get_running_loop()
        self.terminal = Terminal(size, client.write, client.pause)
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._process: Process | None = None
        self._bucket = Bucket(MESSAGES, 4 * MESSAGES)
        self._received = bytearray()
        self._told = Outlet(self._ours.fileno(), LONGEST)
        self._listening = self._joined = self._closed = self._hung_up = False
        self._last_words = b""

    def start(self, warm: Warm, environment: Mapping[str, str], welcome: Welcome) -> None:
        """Begin the learner's process.

        Raises:
            EngineError: none can be started.
        """
        self._joined = True
        try:
            files = self.terminal.slave, self._theirs.fileno()
            self._process = warm.fork(environment, files, self._ended, self._began)
        finally:
            self.terminal.close_slave()
            self._theirs.close()
        self.send(welcome)
        self._listen(True)

    def send(self, message: ToChild) -> None:
        """Tell the process something; it gets there when the process reads."""
        if self._closed:
            return
        if isinstance(message, Stop):
            self._last_words = f"{message.why}\r\n".encode()
            self._loop.call_later(GRACE, self._kill)
        self._told.send(line_of(message))
        if self._told.waiting > UNSENT:
            self._kill()

    def hang_up(self) -> None:
        """The client is gone. The process is told, and may still say what it did last, e.g. half of a run."""
        if self._closed or self._hung_up:
            return
        self._hung_up = True
        self.terminal.close()
        if self._process is None:
            self.close()
        else:
            self._process.kill(signal.SIGHUP)
            self._loop.call_later(GRACE, self._kill)
            self._loop.call_later(2 * GRACE, self.close)

    def close(self) -> None:
        """Give the terminal and the line back, and leave the class."""
        if self._closed:
            return
        self._hear()  # what was done last
        self._closed = True
        self.ended.set()
        self._listen(False)
        self._told.close()
        self._ours.close()
        self.terminal.close()
        if self._joined:
            self._hub.leave(self.name, self.send)

    def _began(self, pid: int) -> None:
        """The process is there; where the client has left meanwhile, it is not wanted any more."""
        self._log("bench", name=self.name, pid=pid)
        if self._hung_up and self._process is not None:
            self._process.kill(signal.SIGHUP)

    def _ended(self, status: int) -> None:
        """The process is gone."""
        if self._closed:
            return
        self.close()
        words = self._last_words
        if self._hung_up:
            return
        if status < 0 and not words:
            words = STOPPED
            self._log("crash", name=self.name, status=status)
        if status < 0:
            self._client.write(RESTORE + words)
        self._client.leave(max(status, 0))

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    # The line

    def _listen(self, on: bool) -> None:
        if on and not self._listening:
            self._loop.add_reader(self._ours, self._hear)
        elif not on and self._listening:
            self._loop.remove_reader(self._ours)
        self._listening = on

    def _hear(self) -> None:
        """Take what the process says, at most so much a second: the rest waits in the socket."""
        if self._closed or not self._joined:
            return
        with suppress(BlockingIOError, ConnectionError):
            while data := self._ours.recv(LONGEST):
                self._received += data
                if len(data) < LONGEST:
                    break
            else:
                self._listen(False)  # it has left
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        try:
            if len(rest) > LONGEST or any(len(one) > LONGEST for one in lines):
                raise msgspec.DecodeError(f"a message is longer than {LONGEST} bytes")
            for one in lines:
                self._hub.heard(self.name, from_child.decode(one))
        except msgspec.DecodeError as error:
            self._log("nonsense", name=self.name, error=str(error)[:100])
            self._kill()
            return
        wait = self._bucket.take(len(lines))
        if wait > 0 and self._listening:
            self._listen(False)
            self._loop.call_later(wait, self._again)

    def _again(self) -> None:
        if not self._closed:
            self._listen(True)
