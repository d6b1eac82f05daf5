"""Processes of their own that need not load PyTorch: copies of one that has loaded it, at once.

Such a process runs what the command line says, from its first line on, with its arguments, environment,
folder, terminal, signals and exit code. Only the imports of PyTorch and Textual, which are most of what a
start costs, find them loaded; each loads gradstep for itself. A test whose promise is about the start, about
what is imported, another locale or Python's own options starts Python.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final

LOCALE: Final = "C.UTF-8"
HASH_SEED: Final = "0"
"""What gradstep sets by starting again, if it is not set."""

PATIENCE: Final = 120.0
"""Seconds after which a process is taken for one that never ends."""


class Preloaded:
    """A command in a copy of the process; used like `subprocess.Popen`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        cwd: str | os.PathLike[str] | None = None,
        in_terminal: bool = False,
    ) -> None:
        """Start `command`: a script with Python in its first line, or Python with a script, `-c` or `-m`.

        Args:
            command: Program and arguments.
            env: Its environment, whose LC_ALL is `LOCALE`.
            streams: Descriptors of standard input, output and error.
            cwd: Its current folder; None for that of this process.
            in_terminal: Whether standard input is a terminal, to be the controlling one.
        """
        assert env["LC_ALL"] == LOCALE, "Python reads it when it starts"
        request = {
            "command": list(command),
            "env": {"PYTHONHASHSEED": HASH_SEED, **env},
            "cwd": str(cwd or os.getcwd()),
            "in_terminal": in_terminal,
        }
        self._line, theirs = socket.socketpair()
        with theirs:
            _send(_original(), request, (*streams, theirs.fileno()))
        self.pid: Final = int.from_bytes(self._line.recv(4), "big")
        self.returncode: int | None = None
        """Exit code, negative where a signal ended the process; None while it runs."""

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._wait(0.0)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until the process has ended; return the exit code.

        Raises:
            subprocess.TimeoutExpired: it took longer than `timeout` seconds.
        """
        code = self._wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("a preloaded process", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send the process a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _wait(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], seconds)[0]:
            told = self._line.recv(4)
            assert told, "the process that is copied has ended"
            self.returncode = int.from_bytes(told, "big", signed=True)
            self._line.close()
        return self.returncode


def run(
    command: Sequence[str],
    *,
    given: bytes = b"",
    stdout: int | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout: float = PATIENCE,
) -> subprocess.CompletedProcess[str]:
    """Run a command whose streams are pipes until it has ended, as `subprocess.run` does.

    Args:
        command: As for `Preloaded`.
        given: What is on standard input, at most 64 KiB.
        stdout: Descriptor of standard output; None for a pipe, whose text is returned.
        env: Changes to the environment of this process; None takes a variable away.
        cwd: Current folder of the command; None for that of this process.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: it did not end in time.
    """
    with started(command, stdout=stdout, env=env, cwd=cwd) as process:
        process.stdin.write(given)
        process.stdin.close()
        with ThreadPoolExecutor() as readers:
            out, err = readers.submit(process.stdout.read), readers.submit(process.stderr.read)
            try:
                code = process.wait(timeout)
            finally:
                process.kill()
        return subprocess.CompletedProcess(command, code, out.result().decode(), err.result().decode())


class Piped(Preloaded):
    """A command whose streams are pipes."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


@contextmanager
def started(
    command: Sequence[str],
    *,
    stdout: int | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Iterator[Piped]:
    """Start a command whose streams are pipes, and kill it in the end; for the arguments see `run`."""
    changed = {**os.environ, "LC_ALL": LOCALE, **(env or {})}
    chosen = {name: value for name, value in changed.items() if value is not None}
    pipes = [os.pipe() for _ in range(3)]
    theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
    streams = theirs[0], theirs[1] if stdout is None else stdout, theirs[2]
    process = Piped(command, env=chosen, streams=streams, cwd=cwd)
    for descriptor in theirs:
        os.close(descriptor)
    with (
        open(pipes[0][1], "wb", buffering=0) as process.stdin,
        open(pipes[1][0], "rb") as process.stdout,
        open(pipes[2][0], "rb") as process.stderr,
    ):
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@cache
def _original() -> socket.socket:
    """Start the process that is copied, and return the line to it; its end ends the process."""
    ours, theirs = socket.socketpair()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("copied_process.py")), str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        # Only one thread runs when it is copied, and bits do not depend on the number of processors.
        env={
            **env,
            "LC_ALL": LOCALE,
            "PYTHONHASHSEED": HASH_SEED,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _send(line: socket.socket, request: object, descriptors: Sequence[int]) -> None:
    data = json.dumps(request).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    line.sendmsg([len(data).to_bytes(4, "big")], rights)
    line.sendall(data)
