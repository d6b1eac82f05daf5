"""The server's side of a bench: the pseudo-terminal, the process, and the socket to it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from gradstep_tui.workshop.server.access.rate_limits import TokenBucket
from gradstep_tui.workshop.server.processes.nonblocking_writer import NonblockingWriter
from gradstep_tui.workshop.server.processes.pty import RESTORE, PseudoTerminal
from gradstep_tui.workshop.wire.farewells import FAREWELLS
from gradstep_tui.workshop.wire.messages import LONGEST, Stop, ToBench, Welcome, from_bench, line_of

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.hub import Hub
    from gradstep_tui.workshop.server.processes.forkserver_client import ForkedProcess, ForkserverClient

CRASHED: Final = (
    "Your bench has stopped unexpectedly. What you did is saved, except for a run that was under way: "
    "log in again."
)

GRACE: Final = 3.0
"""Seconds for an orderly exit of a process."""

MESSAGES: Final = 60.0
"""Messages that a process may send per second in the long run."""

UNSENT: Final = 64 << 20
"""Bytes that may wait for a process that does not read; with more, it counts as stuck and is killed."""


class ClientChannel(Protocol):
    """The SSH channel of a bench's client."""

    def write(self, data: bytes) -> None:
        """Send output to the client's terminal."""

    def pause(self, on: bool) -> None:
        """Stop the client from sending more input, or let it go on."""

    def leave(self, status: int) -> None:
        """Close the channel with an exit status."""


class BenchProcess:
    """A bench for one login. It lasts as long as its process, which may outlive the client's connection."""

    def __init__(
        self,
        name: str,
        hub: Hub,
        client: ClientChannel,
        size: tuple[int, int],
        log: Callable[..., None],
    ) -> None:
        """Open the pseudo-terminal and the socket; `start` starts the process.

        Args:
            name: Name of the participant.
            hub: Receiver of the process's messages.
            client: Channel to the client's terminal.
            size: Columns and rows of the client's terminal.
            log: Called with the name of an event and its facts.
        """
        self.ended = asyncio.Event()
        """Set once the process has ended and all its messages are handled."""

        self.name, self._hub, self._client, self._log = name, hub, client, log
        self._loop = asyncio.get_running_loop()
        self.terminal = PseudoTerminal(size, client.write, client.pause)
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._process: ForkedProcess | None = None
        self._bucket = TokenBucket(MESSAGES, 4 * MESSAGES)
        self._received = bytearray()
        self._writer = NonblockingWriter(self._ours.fileno(), LONGEST)
        self._listening = self._started = self._closed = self._hung_up = False
        self._farewell = ""
        self.end_reason = ""
        """Why the bench has ended or is about to; empty while nobody knows."""

    def start(self, forkserver: ForkserverClient, environment: Mapping[str, str], welcome: Welcome) -> None:
        """Start the process, and send it its first message.

        Raises:
            EngineError: the process cannot be started.
        """
        self._started = True
        try:
            descriptors = self.terminal.slave, self._theirs.fileno()
            self._process = forkserver.fork(environment, descriptors, self._on_end, self._on_begin)
        finally:
            self.terminal.close_slave()
            self._theirs.close()
        self.send(welcome)
        self._listen(True)

    def send(self, message: ToBench) -> None:
        """Send a message to the process; it waits in a buffer until the process reads it."""
        if self._closed:
            return
        if isinstance(message, Stop):
            self._farewell = FAREWELLS[message.reason]
            self.end_reason = message.reason.value
            self._loop.call_later(GRACE, self._kill)
        self._writer.send(line_of(message))
        if self._writer.waiting > UNSENT:
            self._kill()

    def hang_up(self) -> None:
        """End the process because the client is gone; it can still report its last action."""
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
        """Handle the last messages, release the terminal and the socket, and leave the class."""
        if self._closed:
            return
        self._receive()
        self._closed = True
        self.ended.set()
        self._listen(False)
        self._writer.close()
        self._ours.close()
        self.terminal.close()
        if self._started:
            self._hub.leave(self.name, self.send)

    def _on_begin(self, pid: int) -> None:
        """Log the new process; end it if the client is gone already."""
        self._log("bench", name=self.name, pid=pid)
        if self._hung_up and self._process is not None:
            self._process.kill(signal.SIGHUP)

    def _on_end(self, status: int) -> None:
        """Release everything, and tell the client if the process did not exit by itself."""
        if self._closed:
            return
        self._receive()
        crashed = status and not (self._hung_up or self._farewell)
        if crashed:
            self._log("crash", name=self.name, status=status)
            self._hub.crashed(self.name, self.send)
        self.end_reason = self.end_reason or ("crashed" if crashed else "left")
        self.close()
        if self._hung_up:
            return
        if status < 0 or crashed:
            self._client.write(RESTORE + f"{self._farewell or CRASHED}\r\n".encode())
        self._client.leave(max(status, 0))

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    # The process's messages

    def _listen(self, on: bool) -> None:
        if on and not self._listening:
            self._loop.add_reader(self._ours, self._receive)
        elif not on and self._listening:
            self._loop.remove_reader(self._ours)
        self._listening = on

    def _receive(self) -> None:
        """Handle messages, at most so many per second: the others wait in the socket."""
        if self._closed or not self._started:
            return
        with suppress(BlockingIOError, ConnectionError):
            while data := self._ours.recv(LONGEST):
                self._received += data
                if len(data) < LONGEST:
                    break
            else:
                self._listen(False)  # the process has closed its end
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        try:
            if len(rest) > LONGEST or any(len(line) > LONGEST for line in lines):
                raise msgspec.DecodeError(f"a message is longer than {LONGEST} bytes")
            for line in lines:
                self._hub.heard(self.name, from_bench.decode(line), self.send)
        except msgspec.DecodeError as error:
            self._log("bad message", name=self.name, error=str(error)[:100])
            self._kill()
            return
        wait = self._bucket.take(len(lines))
        if wait > 0 and self._listening:
            self._listen(False)
            self._loop.call_later(wait, self._listen_again)

    def _listen_again(self) -> None:
        if not self._closed:
            self._listen(True)
