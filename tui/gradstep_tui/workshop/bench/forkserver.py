"""The warm process: it has PyTorch and the screens loaded, and forks a copy of itself for each learner.

A copy starts within milliseconds and shares almost all of its memory with the others. Nothing here may have a
second thread when it forks: a copy of a process with OpenMP's threads hangs in its first matrix product.
"""

from __future__ import annotations

import array
import asyncio
import gc
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

LONGEST: Final = 1 << 16
"""Bytes of a request."""


class Fork(Struct, frozen=True):
    """Asks for a learner's process; its terminal and its line to the server come with it."""

    number: int
    """Which one: given back with what becomes of it."""

    environment: dict[str, str]
    """TERM and the like, checked already."""


class Forked(Struct, frozen=True, tag=True):
    """There it is."""

    number: int
    pid: int


class Ended(Struct, frozen=True, tag=True):
    """It is gone."""

    number: int
    status: int
    """As `os.waitstatus_to_exitcode` has it: negative for a signal."""


Report = Forked | Ended
reports = msgspec.json.Decoder(Report)
_requests = msgspec.json.Decoder(Fork)


def main() -> NoReturn:
    """Warm up, say so with an empty message, then fork on request until the server is gone."""
    server = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(server.fileno(), False)
    warm_up()
    server.send(b"{}")
    _Zygote(server).run()
    os._exit(0)


def warm_up() -> None:
    """Load all that a learner needs, and draw one bench, so that no copy has to."""
    import torch

    torch.set_num_threads(1)
    with suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    from gradstep_tui.workshop.bench.learner_process import rehearse

    asyncio.run(rehearse())
    gc.collect()
    gc.freeze()  # a collection in a copy would write to, and so copy, every object of this process
    _be_alone()


def _be_alone() -> None:
    """Wait until the rehearsal's threads have ended.

    Raises:
        RuntimeError: some have not.
    """
    for _ in range(200):
        threads = len(os.listdir("/proc/self/task"))
        if threads == 1:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the warm process has {threads} threads: copies of it would hang")


class _Zygote:
    """Forks, and reports what becomes of the copies."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._numbers: dict[int, int] = {}
        """Of the copies, by pid."""

    def run(self) -> None:
        # A child's end is told through a pipe, so that one `select` waits for both.
        ended, waker = socket.socketpair()
        ended.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)  # it ends when the server does
        import select

        while True:
            ready, _, _ = select.select([self._server, ended], [], [])
            if ended in ready:
                with suppress(BlockingIOError):
                    ended.recv(1024)
                self._reap()
            if self._server in ready and not self._answer():
                return

    def _answer(self) -> bool:
        """Do one request; False where the server is gone."""
        size = array.array("i").itemsize
        data, ancillary, _, _ = self._server.recvmsg(LONGEST, socket.CMSG_SPACE(2 * size))
        if not data:
            return False
        files = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.frombytes(content[: len(content) - len(content) % size])
        request = _requests.decode(data)
        terminal, line = files
        pid = os.fork()
        if pid == 0:
            self._become(request, terminal, line)
        for file in files:
            os.close(file)
        self._numbers[pid] = request.number
        self._report(Forked(request.number, pid))
        return True

    def _become(self, request: Fork, terminal: int, line: int) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._server.close()
            from gradstep_tui.workshop.bench.learner_process import live

            status = live(request.environment, terminal, line)
        except BaseException:  # nothing may get back into the loop above
            with suppress(Exception):
                import traceback

                traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while self._numbers:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._numbers.pop(pid, None)
            if number is not None:
                self._report(Ended(number, os.waitstatus_to_exitcode(status)))

    def _report(self, report: Report) -> None:
        self._server.send(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
