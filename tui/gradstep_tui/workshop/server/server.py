"""The SSH server: one for a class."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import asyncssh

from gradstep.errors import EngineError
from gradstep.start import Start
from gradstep_tui.workshop.server.access.algorithms import modern
from gradstep_tui.workshop.server.access.auth import Gate
from gradstep_tui.workshop.server.access.host_key import host_key
from gradstep_tui.workshop.server.access.rate_limits import Doors, Limits
from gradstep_tui.workshop.server.bench_process import GRACE, Seat
from gradstep_tui.workshop.server.channel import Channel
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.processes.forkserver_client import Warm
from gradstep_tui.workshop.server.storage.store import Store

STOPPED: Final = "The workshop has ended. Nothing is lost: log in again when it is back."

WAITING: Final = 512
"""Connections that the kernel keeps until the server comes to them."""

BOARD_EVERY: Final = 0.5
"""Seconds between two updates of the instructors' boards."""


@dataclass(eq=False, slots=True)
class Workshop:
    """A class: who may come in, and what they get."""

    folder: Path
    """Where its state is."""

    join_code: str
    instructor_code: str
    instructor_keys: frozenset[str]
    start: Start
    """What a new learner begins with."""

    limits: Limits
    most: int
    """Learners at once."""

    compress: bool
    post_quantum: bool
    """Whether clients are turned away that cannot exchange keys in a way that resists quantum computers."""

    log: Callable[..., None]
    fetch: str = "scp -P 2222 {name}@HOST:{file} ."
    again: str = "ssh -p 2222 {name}@HOST"
    store: Store = field(init=False)
    hub: Hub = field(init=False)
    doors: Doors = field(init=False)
    warm: Warm = field(init=False)
    seats: set[Seat] = field(init=False, default_factory=set)
    _acceptor: asyncssh.SSHAcceptor | None = field(init=False, default=None)
    _board: asyncio.Task[None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Open what is kept."""
        self.store = Store(self.folder)
        self.hub = Hub(self.store, self.start, self.log)
        self.doors = Doors(self.limits)
        self.warm = Warm(self.log)

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Begin to listen; gives the address, with the port that was chosen where none was.

        Raises:
            EngineError: no bench can be started, or the address cannot be had.
        """
        key = host_key(self.folder)
        with ExitStack() as opened:
            # Before PyTorch is loaded: an address that is taken is told at once, and who comes early waits.
            line = opened.enter_context(_listening(host, port))
            await self.warm.start()
            opened.pop_all()
        self._acceptor = await asyncssh.listen(
            sock=line,
            server_factory=lambda: Gate(self, partial(Channel, self)),
            server_host_keys=[key],
            server_version="gradstep",
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=self.limits.login,
            keepalive_interval=self.limits.keepalive,
            keepalive_count_max=self.limits.unanswered,
            rekey_bytes=1 << 30,
            backlog=WAITING,
            config=None,
            **modern(compress=self.compress, post_quantum=self.post_quantum),
        )
        self._board = asyncio.create_task(self._keep_boards())
        return self._acceptor.get_addresses()[0][:2]

    async def close(self) -> None:
        """Tell everybody, let them leave in order, and give everything back."""
        if self._acceptor is not None:
            self._acceptor.close()
        self.hub.stop(STOPPED)
        ended = [asyncio.create_task(seat.ended.wait()) for seat in self.seats]
        if ended:
            await asyncio.wait(ended, timeout=2 * GRACE)
        for seat in self.seats:
            seat.close()
        if self._board is not None:
            self._board.cancel()
        if self._acceptor is not None:
            await self._acceptor.wait_closed()
        await self.warm.stop()
        self.store.close()

    def exports_of(self, name: str) -> str:
        """Give a learner's folder for exports; the name was checked."""
        return str(self.folder / "exports" / name)

    def make_exports(self, name: str) -> None:
        """Make it, where it is not there; for a name that was taken."""
        Path(self.exports_of(name)).mkdir(mode=0o700, parents=True, exist_ok=True)

    def seat(self, seat: Seat) -> None:
        """Remember a learner who is logged in, until the learner's process has ended."""
        self.seats.add(seat)
        forget = asyncio.create_task(seat.ended.wait())
        forget.add_done_callback(lambda _: self.seats.discard(seat))

    async def _keep_boards(self) -> None:
        while True:
            await asyncio.sleep(BOARD_EVERY)
            self.hub.rows()


def _listening(host: str, port: int) -> socket.socket:
    """Open the address.

    Raises:
        EngineError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=WAITING)
    except OSError as error:
        raise EngineError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
