"""The state of a running workshop: its settings, its participants, its processes and its folders."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gradstep.start import Start
from gradstep_tui.workshop.server.access.guesses import GuessLimiter
from gradstep_tui.workshop.server.access.rate_limits import ConnectionLimiter, Limits
from gradstep_tui.workshop.server.bench_process import BenchProcess
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.processes.forkserver_client import ForkserverClient
from gradstep_tui.workshop.server.storage.database import StoreError
from gradstep_tui.workshop.server.storage.store import Store


@dataclass(eq=False, slots=True, kw_only=True)
class Workshop:
    """The state that all connections of a workshop share."""

    folder: Path
    """State folder: database, host key, codes, and the learners' exports."""

    join_code: str
    """Code with which learners join."""

    instructor_code: str
    """Code with which instructors join."""

    instructor_keys: frozenset[str]
    """Fingerprints of the instructors' public keys."""

    start: Start
    """Start of a new learner's session."""

    limits: Limits
    max_learners: int
    """Largest number of learners who can be logged in at once."""

    compress: bool
    """Whether every connection has to be compressed."""

    post_quantum: bool
    """Whether clients are turned away whose key exchange does not resist quantum computers."""

    log: Callable[..., None]
    """Called with the name of an event and with its facts as keyword arguments."""

    fetch: str = "scp -P 2222 {name}@HOST:{file} ."
    """An `scp` command that fetches a file; `{name}` and `{file}` are placeholders."""

    again: str = "ssh -p 2222 {name}@HOST"
    """The `ssh` command that logs in again; `{name}` is a placeholder."""

    host_key: str = ""
    """Fingerprint of the server's key, once the server listens."""

    store: Store = field(init=False)
    hub: Hub = field(init=False)
    limiter: ConnectionLimiter = field(init=False)
    guesses: GuessLimiter = field(init=False)
    forkserver: ForkserverClient = field(init=False)
    benches: set[BenchProcess] = field(init=False, default_factory=set)
    """Benches whose process has not ended yet."""

    def __post_init__(self) -> None:
        """Open the database.

        Raises:
            BadInput: it cannot be opened, or another server has it open.
        """
        self.store = Store(self.folder, self.log)
        self.hub = Hub(self.store, self.start, self.log)
        self.limiter = ConnectionLimiter(self.limits)
        self.guesses = GuessLimiter(self.limits)
        self.forkserver = ForkserverClient(self.log)

    def exports_of(self, name: str) -> str:
        """Return the path of a learner's folder for exports; `name` must have been checked."""
        return str(self.folder / "exports" / name)

    def make_exports(self, name: str) -> None:
        """Create a learner's folder for exports if it does not exist; `name` must have been checked.

        The state folder is not created again if somebody has removed it: nothing in it would be kept.

        Raises:
            StoreError: it cannot be created.
        """
        folder = Path(self.exports_of(name))
        try:
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder for exports: {error.strerror}") from None

    def set_exports_aside(self, name: str) -> None:
        """Make an empty folder for exports of a name without an owner; rename an earlier owner's folder.

        Raises:
            StoreError: the folder cannot be renamed.
        """
        folder = Path(self.exports_of(name))
        try:
            if folder.is_dir() and any(folder.iterdir()):
                kept = folder.with_name(f"{name}.{time.time_ns()}")  # no name of a learner has a dot
                folder.rename(kept)
                self.log("set aside", name=name, exports=kept.name)
                self.make_exports(name)
        except OSError as error:
            raise StoreError(f"the folder for exports: {error.strerror}") from None

    def benches_of(self, name: str) -> list[BenchProcess]:
        """Return the benches of a name whose process has not ended yet."""
        return [bench for bench in self.benches if bench.name == name]

    def add_bench(self, bench: BenchProcess) -> None:
        """Keep a bench in `benches` until its process has ended."""
        self.benches.add(bench)
        ended = asyncio.create_task(bench.ended.wait())
        ended.add_done_callback(lambda _: self.benches.discard(bench))
