"""The server's side of the warm process: asks for a learner's process, and hears of its end."""

from __future__ import annotations

import array
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from gradstep.errors import EngineError
from gradstep_tui.workshop.bench.forkserver import LONGEST, Ended, Fork, Forked, reports
from gradstep_tui.workshop.bench.rlimits import BEFORE_LOADING

JUST_NOW: Final = "no bench can be started just now: log in again in a few seconds"

PATIENCE: Final = 60.0
"""Seconds that the warm process may take to load PyTorch."""

UNKNOWN: Final = -signal.SIGKILL
"""The exit status of a process that ended after the warm one: as if it had been killed."""

AGAIN: Final = 5.0
"""Seconds until the warm process is tried again, where it did not start."""

KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")
"""Of the server's own environment."""


class Process:
    """A learner's process, held by a file of the kernel's: a number may be another one's later."""

    def __init__(self, ended: Callable[[int], None], began: Callable[[int], None]) -> None:
        """Have `began` called with its number, and `ended` with the exit status, negative for a signal."""
        self._began, self._ended = began, ended
        self._file: int | None = None

    def begin(self, pid: int) -> None:
        """There it is."""
        with suppress(ProcessLookupError):
            self._file = os.pidfd_open(pid)
        self._began(pid)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; nothing where it is gone."""
        if self._file is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._file, number)

    def adopt(self) -> None:
        """Hear of its end from the kernel, since nobody else tells; it does not tell the exit status."""
        if self._file is None:
            self.end(UNKNOWN)
        else:
            asyncio.get_running_loop().add_reader(self._file, self.end, UNKNOWN)

    def end(self, status: int) -> None:
        """It is gone."""
        if self._file is not None:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = None
        self._ended(status)


class Warm:
    """The warm process, made by `start`; where it dies, another one is made, and its copies live on."""

    def __init__(self, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Not started yet; `log` is called with an event's name and its facts."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._living: dict[int, Process] = {}
        self._last = 0
        self._restart: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its own."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, and wait until it is warm.

        Raises:
            EngineError: it did not get warm.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            with theirs:
                self._process = await _run(theirs.fileno())
            warm = await asyncio.wait_for(loop.sock_recv(ours, LONGEST), PATIENCE)
        except (TimeoutError, OSError):
            warm = b""
        if not warm:
            ours.close()
            raise EngineError("the process that learners' benches are copied from did not start")
        self._socket = ours
        loop.add_reader(ours, self._hear)

    def fork(
        self,
        environment: Mapping[str, str],
        files: tuple[int, int],
        ended: Callable[[int], None],
        began: Callable[[int], None] = lambda _: None,
    ) -> Process:
        """Ask for a learner's process; it has the two files, terminal and line, which stay open here.

        Raises:
            EngineError: there is no warm process.
        """
        if self._socket is None:
            raise EngineError(JUST_NOW)
        self._last += 1
        process = Process(ended, began)
        request = msgspec.json.encode(Fork(self._last, dict(environment)))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
        try:
            self._socket.sendmsg([request], rights)
        except OSError as error:
            raise EngineError(f"{JUST_NOW}: {error.strerror}") from None
        self._living[self._last] = process
        return process

    async def stop(self) -> None:
        """End it; its copies have ended before."""
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

    def _hear(self) -> None:
        assert self._socket is not None
        while True:
            try:
                data = self._socket.recv(LONGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            report = reports.decode(data)
            process = self._living.get(report.number)
            match report:
                case Forked(pid=pid) if process is not None:
                    process.begin(pid)
                case Ended(status=status) if process is not None:
                    del self._living[report.number]
                    process.end(status)

    def _lost(self) -> None:
        """The warm process died: its copies live on, and another one is started for those who come."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        self._log("warm process lost", learners=len(self._living))
        living, self._living = [*self._living.values()], {}
        for process in living:
            process.adopt()
        self._restart = loop.create_task(self._start_again())

    async def _start_again(self) -> None:
        while True:
            try:
                await self.start()
            except (EngineError, OSError) as error:
                self._log("warm process does not start", why=str(error))
                await asyncio.sleep(AGAIN)
            else:
                self._log("warm process started")
                return


async def _run(line: int) -> asyncio.subprocess.Process:
    """Run the warm process with a line to this one."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | BEFORE_LOADING
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "utf8", "-m", "gradstep_tui.workshop.bench.forkserver", str(line)),
        pass_fds=[line],
        stdin=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # a ctrl+c in the server's terminal is the server's to answer
    )
