"""A real workshop server, and many real `ssh` clients on pseudo-terminals, all read by one thread."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

COLUMNS, ROWS = 100, 30

WELCOME: Final = b"written it down"
"""What the first frame of all has in it: it tells the resume code."""

READY: Final = b"no loss yet"
"""What the first frame of a new bench has in it."""

PATIENCE: Final = 120.0

_CONTROL: Final = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
_CODE: Final = re.compile(rb"\b[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}\b")


class Server:
    """`gradstep serve` on a free port, with its state in a folder of its own."""

    def __init__(self, learners: int = 250) -> None:
        """Start it, and wait until it listens."""
        self._folder = Path(tempfile.mkdtemp(prefix="classroom-"))
        self._log = (self._folder / "log").open("wb")
        self.code = "benchmark"
        self._process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "gradstep_tui",
                    "serve",
                    "--listen",
                    "127.0.0.1:0",
                    "--code",
                    self.code,
                ),
                *("--state", str(self._folder / "state"), "--max-learners", str(learners)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        self.pid = self._process.pid
        self.port = self._wait_for_port()
        asker = self._folder / "ask"
        asker.write_text('#!/bin/sh\necho "$WORKSHOP_CODE"\n', encoding="ascii")
        asker.chmod(0o700)
        self.asker = str(asker)

    @property
    def instructor_code(self) -> str:
        """What makes an instructor."""
        return (self._folder / "state" / "instructor_code").read_text(encoding="ascii").strip()

    def benches(self) -> list[int]:
        """Give the processes of learners."""
        warm = _children(self.pid)
        return [pid for one in warm for pid in _children(one)]

    def bench(self, name: str) -> int:
        """Give the process of one who is logged in."""
        lines = (self._folder / "log").read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return int([one["pid"] for one in told if one["event"] == "bench" and one["name"] == name][-1])

    def zombies(self) -> list[int]:
        """Give the processes that have ended and that nobody has heard of."""
        all_of_them = [pid for one in (self.pid, *_children(self.pid)) for pid in _children(one)]
        return [pid for pid in all_of_them if _state(pid) == "Z"]

    def stop(self) -> None:
        """Stop it, and remove what it left."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_for_port(self) -> int:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            for line in (self._folder / "log").read_text(encoding="utf-8").splitlines():
                told = json.loads(line) if line.startswith("{") else {}
                if told.get("event") == "listening":
                    return int(told["port"])
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text(encoding="utf-8"))


class Client:
    """One `ssh`."""

    def __init__(self, server: Server, name: str, code: str | None = None) -> None:
        """Start it; `Class.wait` reads what it shows."""
        self.name = name
        self.resume_code = ""
        """Empty until the first frame has told it."""
        self.output = bytearray()
        self.began = time.perf_counter()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "SSH_ASKPASS": server.asker,
            "SSH_ASKPASS_REQUIRE": "force",
            "WORKSHOP_CODE": code or server.code,
        }
        environment.pop("COLORTERM", None)
        options = (
            *("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR"),
            *("PubkeyAuthentication=no", "NumberOfPasswordPrompts=1"),
        )
        self._process = subprocess.Popen(
            [
                *("ssh", "-tt", "-F", "none", "-p", str(server.port)),
                *(part for option in options for part in ("-o", option)),
                f"{name}@127.0.0.1",
            ],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(master, False)
        self.file = master

    def type(self, keys: str) -> float:
        """Press keys; forgets what was shown before, and gives the time."""
        self.output.clear()
        now = time.perf_counter()
        os.write(self.file, keys.encode())
        return now

    def note_resume_code(self) -> None:
        """Take it from what is shown."""
        found = _CODE.search(_CONTROL.sub(b" ", self.output))
        if found is None:
            raise RuntimeError(f"no resume code is shown: {bytes(self.output[-2000:])!r}")
        self.resume_code = found.group().decode()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """End it as a closed laptop would."""
        self._process.kill()
        self._process.wait()
        os.close(self.file)


class Class:
    """Clients that are read together."""

    def __init__(self) -> None:
        """Begin with none."""
        self.clients: list[Client] = []
        self._poll = select.epoll()
        self._by_file: dict[int, Client] = {}

    def join(self, server: Server, names: Iterable[str], code: str | None = None) -> list[Client]:
        """Have clients log in at once."""
        new = []
        for name in names:
            client = Client(server, name, code)
            self._poll.register(client.file, select.EPOLLIN)
            self._by_file[client.file] = client
            self.clients.append(client)
            new.append(client)
        return new

    def read(self, seconds: float) -> list[tuple[Client, float]]:
        """Read for a while; give who showed something, and when."""
        shown = []
        for file, _ in self._poll.poll(seconds, 64):
            client = self._by_file[file]
            try:
                client.output += os.read(file, 1 << 16)
            except (BlockingIOError, OSError):
                self._poll.unregister(file)
                continue
            shown.append((client, time.perf_counter()))
        return shown

    def wait(self, clients: Iterable[Client], done: Callable[[Client], bool]) -> dict[Client, float]:
        """Read until each client is done; give when each was."""
        waiting, times = set(clients), dict[Client, float]()
        until = time.monotonic() + PATIENCE
        while waiting and time.monotonic() < until:
            for client, now in self.read(0.5):
                if client in waiting and done(client):
                    waiting.discard(client)
                    times[client] = now
        if waiting:
            names = ", ".join(client.name for client in waiting)
            raise RuntimeError(f"nothing from {names}: {bytes(next(iter(waiting)).output[-500:])!r}")
        return times

    def seat(self, server: Server, names: Iterable[str], per_second: float | None = None) -> list[float]:
        """Have new learners log in, and go to their benches; give the seconds to each one's first frame."""
        new: list[Client] = []
        if per_second is None:
            new = self.join(server, names)
        else:
            for name in names:
                new += self.join(server, [name])
                self.settle(1 / per_second)
        times = self.wait(
            [one for one in new if WELCOME not in one.output], lambda one: WELCOME in one.output
        )
        took = [times.get(one, one.began) - one.began for one in new]
        self.settle(0.5)
        for client in new:
            client.note_resume_code()
            client.type("\r")
        self.wait(new, lambda one: READY in one.output)
        self.settle(0.5)
        return took

    def settle(self, seconds: float) -> None:
        """Read for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)

    def leave(self) -> None:
        """Have all go."""
        for client in self.clients:
            client.stop()
        self._poll.close()


def private(pid: int) -> int:
    """Give the bytes that a process shares with no other."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return 1024 * sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.MULTILINE))


def processor(pid: int) -> float:
    """Give the seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(one) for one in found.split()]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
