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

from engine.errors import EngineError
from tui.workshop.zygote import LONGEST, Ended, Fork, Forked, reports

PATIENCE: Final = 60.0
"""Seconds that the warm process may take to load PyTorch."""

BEFORE_LOADING: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "TEXTUAL_FPS": "20",
    "TEXTUAL_ANIMATIONS": "none",
    "ESCDELAY": "50",
    "PYTHONUTF8": "1",
}
"""What is read while the libraries are loaded: one thread, memory for one, no more drawing than a network
wants."""

KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")
"""Of the server's own environment."""


class Process:
    """A learner's process."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        """Have `ended` called with the exit status, negative for a signal."""
        self.pid: int | None = None
        self._ended = ended

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; nothing where it is gone."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, status: int) -> None:
        """It is gone."""
        self.pid = None
        self._ended(status)


class Warm:
    """The warm process, made by `start`; where it dies, the next request makes another one."""

    def __init__(self) -> None:
        """Not started yet."""
        self._process: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._living: dict[int, Process] = {}
        self._last = 0

    @property
    def pid(self) -> int | None:
        """Its own."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, and wait until it is warm.

        Raises:
            EngineError: it did not get warm.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {name: os.environ[name] for name in KEPT if name in os.environ} | BEFORE_LOADING
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-X", "utf8", "-m", "tui.workshop.zygote", str(theirs.fileno())),
            pass_fds=[theirs.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # a ctrl+c in the server's terminal is the server's to answer
        )
        theirs.close()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            warm = await asyncio.wait_for(loop.sock_recv(ours, LONGEST), PATIENCE)
        except (TimeoutError, OSError):
            warm = b""
        if not warm:
            ours.close()
            raise EngineError("the process that learners' benches are copied from did not start")
        self._socket = ours
        loop.add_reader(ours, self._hear)

    def fork(
        self, environment: Mapping[str, str], terminal: int, line: int, ended: Callable[[int], None]
    ) -> Process:
        """Ask for a learner's process; it has the two files, which stay open here.

        Raises:
            EngineError: there is no warm process.
        """
        if self._socket is None:
            raise EngineError("no bench can be started just now")
        self._last += 1
        process = Process(ended)
        request = msgspec.json.encode(Fork(self._last, dict(environment)))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [terminal, line]))]
        try:
            self._socket.sendmsg([request], rights)
        except OSError as error:
            raise EngineError(f"no bench can be started just now: {error.strerror}") from None
        self._living[self._last] = process
        return process

    async def stop(self) -> None:
        """End it; its copies have ended before."""
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
                    process.pid = pid
                case Ended(status=status) if process is not None:
                    del self._living[report.number]
                    process.end(status)

    def _lost(self) -> None:
        """The warm process died: what it forked lives on, but nobody tells of its end any more."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        for process in [*self._living.values()]:
            process.kill()
            process.end(-signal.SIGKILL)
        self._living.clear()
        self._restart = loop.create_task(self.start())
