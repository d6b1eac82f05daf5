"""The forkserver: it has PyTorch and the screens loaded, and forks a process for each learner.

A forked process starts within milliseconds and shares almost all of its memory with the others. The
forkserver must have a single thread when it forks: in a process that was forked from one with OpenMP's
threads, the first matrix product never returns.
"""

from __future__ import annotations

import array
import asyncio
import gc
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

from gradstep_tui.workshop.wire.fork import LONGEST, Ended, Fork, Forked, Report, encoder, request_decoder


def main() -> NoReturn:
    """Load everything, report it with an empty message, then fork on request until the server exits.

    The first command-line argument is the descriptor of the socket to the server.
    """
    server = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(server.fileno(), False)
    load_everything()
    server.send(b"{}")
    _Forkserver(server).run()
    os._exit(0)


def load_everything() -> None:
    """Import all that a bench needs, and draw one bench, so that no forked process has to.

    Raises:
        RuntimeError: threads are left over.
    """
    import torch

    torch.set_num_threads(1)
    with suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    import gradstep_tui.screens.help.manual  # noqa: F401 - loaded for all forked processes
    from gradstep_tui.workshop.bench.learner_process import rehearse

    asyncio.run(rehearse())
    gc.collect()
    gc.freeze()  # a collection in a forked process would write to, and so copy, every page with objects
    _wait_for_threads()


def _wait_for_threads() -> None:
    """Wait until the threads of the rehearsal have ended.

    Raises:
        RuntimeError: some are still running after ten seconds.
    """
    for _ in range(200):
        threads = len(os.listdir("/proc/self/task"))
        if threads == 1:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the forkserver has {threads} threads: processes that it forks would hang")


class _Forkserver:
    """Forks processes, and reports how each of them ends."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._numbers: dict[int, int] = {}
        """Numbers of the requests, by the pid of the process that was forked."""

    def run(self) -> None:
        # The end of a process arrives through a socket as well, so that one `select` waits for both.
        ended, waker = socket.socketpair()
        ended.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)  # the forkserver ends when the server does

        while True:
            ready, _, _ = select.select([self._server, ended], [], [])
            if ended in ready:
                with suppress(BlockingIOError):
                    ended.recv(1024)
                self._reap()
            if self._server in ready and not self._answer():
                return

    def _answer(self) -> bool:
        """Handle one request; return False if the server has closed the socket."""
        size = array.array("i").itemsize
        data, ancillary, _, _ = self._server.recvmsg(LONGEST, socket.CMSG_SPACE(2 * size))
        if not data:
            return False
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: len(content) - len(content) % size])
        request = request_decoder.decode(data)
        terminal, line = descriptors
        pid = os.fork()
        if pid == 0:
            self._become(request, terminal, line)
        for descriptor in descriptors:
            os.close(descriptor)
        self._numbers[pid] = request.number
        self._report(Forked(request.number, pid))
        return True

    def _become(self, request: Fork, terminal: int, line: int) -> NoReturn:
        """Run a learner's bench in the forked process, then exit."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._server.close()
            from gradstep_tui.workshop.bench.learner_process import run_bench

            status = run_bench(request.environment, terminal, line)
        except BaseException:  # nothing may return into the loop of `run`
            status = 1  # the server logs that, and tells the learner: a traceback would show its paths
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        """Report every process that has exited."""
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
        self._server.send(encoder.encode(report))


if __name__ == "__main__":
    main()
