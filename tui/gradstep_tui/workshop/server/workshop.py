"""The state of a running workshop: its settings, its participants, its processes and its folders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gradstep.start import Start
from gradstep_tui.workshop.server.access.rate_limits import ConnectionLimiter, Limits
from gradstep_tui.workshop.server.bench_process import BenchProcess
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.processes.forkserver_client import ForkserverClient
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

    store: Store = field(init=False)
    hub: Hub = field(init=False)
    limiter: ConnectionLimiter = field(init=False)
    forkserver: ForkserverClient = field(init=False)
    benches: set[BenchProcess] = field(init=False, default_factory=set)
    """Benches whose process has not ended yet."""

    def __post_init__(self) -> None:
        """Open the database.

        Raises:
            BadInput: it cannot be opened, or another server has it open.
        """
        self.store = Store(self.folder)
        self.hub = Hub(self.store, self.start, self.log)
        self.limiter = ConnectionLimiter(self.limits)
        self.forkserver = ForkserverClient(self.log)

    def exports_of(self, name: str) -> str:
        """Return the path of a learner's folder for exports; `name` must have been checked."""
        return str(self.folder / "exports" / name)

    def make_exports(self, name: str) -> None:
        """Create a learner's folder for exports if it does not exist; `name` must have been checked.

        Raises:
            OSError: it cannot be created.
        """
        Path(self.exports_of(name)).mkdir(mode=0o700, parents=True, exist_ok=True)

    def add_bench(self, bench: BenchProcess) -> None:
        """Keep a bench in `benches` until its process has ended."""
        self.benches.add(bench)
        ended = asyncio.create_task(bench.ended.wait())
        ended.add_done_callback(lambda _: self.benches.discard(bench))
