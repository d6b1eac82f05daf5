"""A real workshop server in a process of its own, and command lines of real clients."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncssh
import pytest

from tests.terminal import Terminal

CODE: Final = "a join code"
PATIENCE: Final = 60.0

PROGRAM: Final = """
import sys
from gradstep_tui.workshop.server.command import serve
from gradstep_tui.workshop.server.processes import forkserver_client
forkserver_client.FORKSERVER = "probed_forkserver"
import held_loop
sys.exit(serve({given!r}, {limits!r}))
"""
"""Program of the server's process. Its learners' processes write their environment to a file on SIGUSR1."""

NEW: Final = "no loss yet"
"""Text on a new bench."""

CONFIRM: Final = "I have written it down"
"""Text that asks for a confirmation of the resume code at the first login."""

RESUME: Final = re.compile(r"\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b")


def need(tool: str) -> str:
    """Return the path of a program; skip the test if it is missing (which is a failure in CI)."""
    found = shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until a condition returns something true, and return that.

    Args:
        true: The condition.
        what: Description of the condition, for the error message.
        seconds: Longest time to wait.
    """
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"after {seconds} s, still not: {what}"
        time.sleep(0.02)
    return found


class Server:
    """`gradstep serve` on a free port, with its state in a folder of its own."""

    def __init__(
        self, *arguments: str, state: Path | None = None, keys: Path | None = None, **limits: float
    ) -> None:
        """Start it, and wait until it listens.

        Args:
            arguments: More command-line options.
            state: State folder, which is not removed; None for a temporary one.
            keys: Folder for a new key pair of an instructor, which the server knows; None for no key.
            limits: Fields of `Limits` that differ from the default.
        """
        self._own = None if state else tempfile.TemporaryDirectory(prefix="gradstep-workshop-")
        self.folder = Path(tempfile.mkdtemp(prefix="gradstep-served-"))
        self.state = state or Path(self._own.name) / "state"  # type: ignore[union-attr]
        self.codes: dict[str, str] = {}
        """Resume codes of those who have joined through this object, by name."""

        asker = self.folder / "ask"
        asker.write_text('#!/bin/sh\necho "$WORKSHOP_CODE"\n', encoding="ascii")
        asker.chmod(0o700)
        for probe in ("probed_forkserver.py", "held_loop.py"):
            shutil.copy(Path(__file__).parent / "memory_probe" / probe, self.folder)
        self.given = ["--listen", "127.0.0.1:0", "--state", str(self.state), "--code", CODE, *arguments]
        if keys is not None:
            self.instructor = make_key(keys / "instructor")
            self.given += ["--instructor-keys", f"{self.instructor}.pub"]
        self._limits = limits
        self.start()

    def start(self) -> None:
        """Start it, or start it again after its end, with an empty log; wait until it listens."""
        calling = PROGRAM.format(given=self.given, limits=self._limits)
        with (self.folder / "out").open("wb") as out, (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", calling],
                stdout=out,
                stderr=log,
                env={**os.environ, "PYTHONPATH": f"{self.folder}:{os.environ.get('PYTHONPATH', '')}"},
            )
        self.port = int(self.logged("listening")["port"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server, if it still runs, and check that it exits with 0."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            assert self.process.wait(PATIENCE) == 0, self.log

    def close(self) -> None:
        """Stop the server, and remove what it has left."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._own is not None:
            self._own.cleanup()

    # Its output

    @property
    def log(self) -> str:
        """The server's standard error: the log."""
        return (self.folder / "log").read_text(encoding="utf-8")

    @property
    def output(self) -> str:
        """The server's standard output."""
        return (self.folder / "out").read_text(encoding="utf-8")

    def events(self, event: str, **facts: object) -> list[dict[str, Any]]:
        """Return the events of the log that have a name and certain facts."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event and facts.items() <= line.items()]

    def logged(self, event: str, **facts: object) -> dict[str, Any]:
        """Wait for an event in the log, and return its facts."""

        def found() -> list[dict[str, Any]]:
            assert self.process.poll() is None or self.events(event, **facts), self.log
            return self.events(event, **facts)

        return until(found, f"{event} {facts}\n{self.log}")[0]  # type: ignore[no-any-return]

    # Its processes

    @property
    def forkserver(self) -> int:
        """Pid of the forkserver."""
        return until(lambda: children(self.process.pid), "a forkserver")[0]  # type: ignore[no-any-return]

    def bench(self, name: str) -> int:
        """Return the pid of the bench process of a learner who is logged in."""
        return int(self.logged("bench", name=name)["pid"])

    def environment_of(self, name: str) -> dict[str, dict[str, str]]:
        """Return the environment of a learner's process, as Python sees it and as C sees it."""
        answer = self.folder / f"{self.bench(name)}.json"
        os.kill(self.bench(name), signal.SIGUSR1)
        until(answer.exists, "an answer")
        return json.loads(answer.read_text(encoding="ascii"))  # type: ignore[no-any-return]

    def held(self) -> float:
        """Return the longest time, since the last call, for which the server has held its event loop.

        Returns:
            Seconds of processor time.
        """
        answer = self.folder / f"{self.process.pid}.json"
        answer.unlink(missing_ok=True)
        os.kill(self.process.pid, signal.SIGRTMIN)
        until(answer.exists, "an answer")
        return float(json.loads(answer.read_text(encoding="ascii"))["held"])

    # Clients

    def command(self, name: str, *arguments: str, program: str = "ssh", key: Path | None = None) -> list[str]:
        """Return the command line of a client of OpenSSH."""
        port = "-P" if program in ("scp", "sftp") else "-p"
        options = [
            *("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR"),
            *("IdentitiesOnly=yes", f"IdentityFile={key}" if key else "PubkeyAuthentication=no"),
        ]
        given = [part for option in options for part in ("-o", option)]
        to = [f"{name}@127.0.0.1"] if program in ("ssh", "sftp") else []
        before = [] if program != "ssh" else [*arguments]
        after = [*arguments] if program != "ssh" else []
        if program == "sftp":
            before, after = [*arguments], []
        return [need(program), "-F", "none", port, str(self.port), *before, *given, *to, *after]

    def environment(self, code: str = CODE) -> dict[str, str | None]:
        """Return environment variables with which a client of OpenSSH answers with a code."""
        return {
            "SSH_ASKPASS": str(self.folder / "ask"),
            "SSH_ASKPASS_REQUIRE": "force",
            "SSH_AUTH_SOCK": None,
            "WORKSHOP_CODE": code,
        }

    def join(
        self,
        name: str,
        *arguments: str,
        code: str = CODE,
        key: Path | None = None,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str | None] | None = None,
        wait: str = NEW,
    ) -> Terminal:
        """Log in with `ssh` in a terminal; confirm the resume code of a new name; wait for a text."""
        new = not self.is_taken(name.lower())
        terminal = Terminal(
            self.command(name, *arguments, key=key),
            columns=size[0],
            rows=size[1],
            env={**self.environment(code), **(env or {})},
        )
        try:
            if new and wait == NEW:
                terminal.wait_for(CONFIRM)
                self.codes[name.lower()] = RESUME.findall(terminal.text)[0]
                terminal.send("\x1b[19~" if key else "\r")  # F8 lets the key log in
                terminal.wait_for(lambda text: CONFIRM not in text)
            if wait:
                terminal.wait_for(wait)
        except BaseException:
            terminal.close()
            raise
        return terminal

    def is_taken(self, name: str) -> bool:
        """Return whether a name is taken."""
        with closing(sqlite3.connect(self.state / "workshop.db")) as db:
            taken = "SELECT 1 FROM learners WHERE name = ? AND state != 'released'"
            return db.execute(taken, (name,)).fetchone() is not None

    def run(
        self, command: list[str], *, code: str = CODE, seconds: float = 30.0, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a client without a terminal."""
        environment = {**os.environ, **self.environment(code)}
        chosen = {name: value for name, value in environment.items() if value is not None}
        options = {"stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            command, env=chosen, text=True, timeout=seconds, check=False, capture_output=True, **options
        )

    def socket(self) -> socket.socket:
        """Return a connected socket, on which nothing was sent."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)


def make_key(path: Path) -> Path:
    """Write a key pair for a client, and return the path of the private key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(path)
    path.chmod(0o600)
    key.write_public_key(f"{path}.pub")
    return path


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in found.split()]


def lives(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
