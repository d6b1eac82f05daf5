"""The server's side of the forkserver: requests processes, and learns of their end."""

from __future__ import annotations

import array
import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from gradstep.errors import EngineError
from gradstep_tui.workshop.wire.environment import BEFORE_LOADING
from gradstep_tui.workshop.wire.fork import LONGEST, Ended, Fork, Forked, encoder, report_decoder
from gradstep_tui.workshop.wire.isolation import isolated, trusted_folders

FORKSERVER: Final = "gradstep_tui.workshop.bench.forkserver"
"""Module that the forkserver runs. The server never imports it."""

NOT_NOW: Final = "No bench can be started at the moment. Log in again in a few seconds."

PATIENCE: Final = 60.0
"""Seconds in which the forkserver has to load PyTorch."""

UNKNOWN: Final = -signal.SIGKILL
"""Exit status of a process that ended after the forkserver, as if it had been killed."""

RETRY: Final = 5.0
"""Seconds until the forkserver is started again after it has failed to start."""

KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""The server's environment variables that the forkserver inherits."""


class ForkedProcess:
    """A learner's process, held by a pidfd: its pid may belong to another process later."""

    def __init__(self, ended: Callable[[int], None], began: Callable[[int], None]) -> None:
        """Wait for the process to be forked.

        Args:
            ended: Called with the exit status, negative for a signal, once the process has ended.
            began: Called with the pid once the process has been forked.
        """
        self._began, self._ended = began, ended
        self._pidfd: int | None = None

    def begin(self, pid: int) -> None:
        """Open the pidfd of the process, which has been forked."""
        with suppress(ProcessLookupError):
            self._pidfd = os.pidfd_open(pid)
        self._began(pid)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process; do nothing if it has ended."""
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def watch(self) -> None:
        """Learn of the end from the kernel, without the exit status, because the forkserver is gone."""
        if self._pidfd is None:
            self.end(UNKNOWN)
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self.end, UNKNOWN)

    def end(self, status: int) -> None:
        """Close the pidfd of the process, which has ended."""
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        self._ended(status)


class ForkserverClient:
    """Starts the forkserver and sends requests. If it dies, its processes live on, and it starts again."""

    def __init__(self, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Begin without a forkserver; `log` is called with the name of an event and its facts."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._living: dict[int, ForkedProcess] = {}
        self._words: asyncio.Task[None] | None = None
        self._last = 0
        self._restart: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Pid of the forkserver; None before it was started."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the forkserver, and wait until it has loaded PyTorch.

        Raises:
            EngineError: it did not start in time.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            with theirs:
                self._process = await _run(theirs.fileno())
            self._words = loop.create_task(self._log_words(self._process))
            ready = await asyncio.wait_for(loop.sock_recv(ours, LONGEST), PATIENCE)
        except (TimeoutError, OSError):
            ready = b""
        if not ready:
            ours.close()
            raise EngineError("the forkserver, from which learners' benches are forked, did not start")
        self._socket = ours
        loop.add_reader(ours, self._receive)

    def fork(
        self,
        environment: Mapping[str, str],
        descriptors: tuple[int, int],
        ended: Callable[[int], None],
        began: Callable[[int], None] = lambda _: None,
    ) -> ForkedProcess:
        """Request a learner's process.

        Args:
            environment: Environment variables of the process.
            descriptors: Terminal and socket of the process; they stay open here.
            ended: Called with the exit status, negative for a signal, once the process has ended.
            began: Called with the pid once the process has been forked.

        Raises:
            EngineError: there is no forkserver at the moment.
        """
        if self._socket is None:
            raise EngineError(NOT_NOW)
        self._last += 1
        process = ForkedProcess(ended, began)
        request = encoder.encode(Fork(self._last, dict(environment)))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        try:
            self._socket.sendmsg([request], rights)
        except OSError as error:
            self._log("fork failed", why=error.strerror)
            raise EngineError(NOT_NOW) from None
        self._living[self._last] = process
        return process

    async def stop(self) -> None:
        """Stop the forkserver, once the processes that it has forked have ended."""
        if self._restart is not None:
            self._restart.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), 2.0)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _log_words(self, process: asyncio.subprocess.Process) -> None:
        """Log what the forkserver writes to standard error: warnings, or a traceback."""
        assert process.stderr is not None
        while words := await process.stderr.read(LONGEST):
            self._log("forkserver says", text=words.decode(errors="replace"))

    def _receive(self) -> None:
        assert self._socket is not None
        while True:
            try:
                data = self._socket.recv(LONGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._on_loss()
                return
            report = report_decoder.decode(data)
            process = self._living.get(report.number)
            match report:
                case Forked(pid=pid) if process is not None:
                    process.begin(pid)
                case Ended(status=status) if process is not None:
                    del self._living[report.number]
                    process.end(status)

    def _on_loss(self) -> None:
        """Watch the processes of a forkserver that has died, and start another one for new logins."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        self._log("forkserver lost", learners=len(self._living))
        living, self._living = [*self._living.values()], {}
        for process in living:
            process.watch()
        self._restart = loop.create_task(self._start_again())

    async def _start_again(self) -> None:
        while True:
            try:
                await self.start()
            except (EngineError, OSError) as error:
                self._log("forkserver does not start", why=str(error))
                await asyncio.sleep(RETRY)
            else:
                self._log("forkserver started")
                return


async def _run(line: int) -> asyncio.subprocess.Process:
    """Run the forkserver with the descriptor of a socket to this process."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | BEFORE_LOADING
    return await asyncio.create_subprocess_exec(
        *isolated(FORKSERVER, trusted_folders(), str(line)),
        pass_fds=[line],
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,  # a ctrl+c in the server's terminal is for the server only
    )
