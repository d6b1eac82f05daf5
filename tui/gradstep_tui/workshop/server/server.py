"""The SSH server: listens, serves a workshop, and closes in order."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from functools import partial
from typing import Final

import asyncssh

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.access.algorithms import modern
from gradstep_tui.workshop.server.access.asyncssh_internals import limit_unpacking
from gradstep_tui.workshop.server.access.auth import ClientConnection
from gradstep_tui.workshop.server.access.host_key import host_key
from gradstep_tui.workshop.server.bench_process import GRACE
from gradstep_tui.workshop.server.channel import Channel
from gradstep_tui.workshop.server.workshop import Workshop
from gradstep_tui.workshop.wire.reasons import StopReason

BACKLOG: Final = 512
"""Number of connections that the kernel queues until the server accepts them."""

ACCEPTED_AT_ONCE: Final = 8
"""Number of connections that are accepted before other clients have their turn."""

WINDOW: Final = 1 << 16
"""Bytes that a client may send on a channel before the server has worked through them."""

BOARD_INTERVAL: Final = 0.5
"""Seconds between two updates of the instructors' boards."""


class Server:
    """The SSH server of one workshop."""

    def __init__(self, workshop: Workshop) -> None:
        """Serve a workshop; `open` begins to listen."""
        self._workshop = workshop
        self.key: asyncssh.SSHKey
        """The host key, once the server listens."""

        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._board_updates: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Begin to listen; return the address and the port, which the kernel chooses if `port` is 0.

        Raises:
            EngineError: the forkserver does not start, or the address cannot be listened on.
        """
        workshop = self._workshop
        self.key = host_key(workshop.folder)
        workshop.host_key = self.key.get_fingerprint()
        limit_unpacking()
        with ExitStack() as opened:
            # The socket comes first: if the address is taken, the error appears before PyTorch is loaded,
            # and clients that connect early wait in the queue.
            listener = opened.enter_context(_listen(host, port))
            await workshop.forkserver.start()
            opened.pop_all()
        self._acceptor = await asyncssh.listen(
            sock=listener,
            server_factory=lambda: ClientConnection(workshop, partial(Channel, workshop)),
            server_host_keys=[self.key],
            server_version="gradstep",
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=0,  # `Admission` says why it closes a connection
            window=WINDOW,
            keepalive_interval=workshop.limits.keepalive,
            keepalive_count_max=workshop.limits.unanswered,
            rekey_bytes=1 << 30,
            backlog=ACCEPTED_AT_ONCE,
            config=None,
            **modern(compress=workshop.compress, post_quantum=workshop.post_quantum),
        )
        listener.listen(BACKLOG)  # asyncio has set the kernel's queue to what it accepts at once
        self._board_updates = asyncio.create_task(self._update_boards())
        return self._acceptor.get_addresses()[0][:2]

    async def close(self) -> dict[str, int]:
        """Ask every bench to exit, wait for that, and release everything.

        Returns:
            The number of actions that could not be stored, by the name of the participant.
        """
        workshop = self._workshop
        if self._acceptor is not None:
            self._acceptor.close()
        workshop.hub.stop(StopReason.WORKSHOP_ENDED)
        ended = [asyncio.create_task(bench.ended.wait()) for bench in workshop.benches]
        if ended:
            await asyncio.wait(ended, timeout=2 * GRACE)
        for bench in workshop.benches:
            bench.close()
        if self._board_updates is not None:
            self._board_updates.cancel()
        if self._acceptor is not None:
            await self._acceptor.wait_closed()
        await workshop.forkserver.stop()
        lost = workshop.hub.unsaved()
        workshop.store.close()
        return lost

    async def _update_boards(self) -> None:
        while True:
            await asyncio.sleep(BOARD_INTERVAL)
            self._workshop.hub.update_boards()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        EngineError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise EngineError(f"the server cannot listen on {host}:{port}: {error.strerror}") from None
