"""Clients that do things which OpenSSH's do not."""

from __future__ import annotations

from typing import Any

import asyncssh
from asyncssh.constants import MSG_USERAUTH_REQUEST
from asyncssh.packet import Boolean, String

from tests.workshop.workshop_server import CODE, CONFIRM, Server


async def connect(
    server: Server, name: str, code: str = CODE, **options: Any
) -> asyncssh.SSHClientConnection:
    """Log in with asyncssh."""
    given = {"password": code or None, "known_hosts": None, "client_keys": None, "config": None, **options}
    return await asyncssh.connect("127.0.0.1", server.port, username=name, **given)


async def bench(connection: asyncssh.SSHClientConnection, **options: Any) -> asyncssh.SSHClientProcess[bytes]:
    """Request a terminal and a shell, which is a bench."""
    given = {"term_type": "xterm-256color", "term_size": (80, 24), "encoding": None, **options}
    return await connection.create_process(**given)


async def shown(process: asyncssh.SSHClientProcess[bytes], wanted: bytes) -> bytes:
    """Read until the output contains something; return all output."""
    read = b""
    while wanted not in read:
        piece = await process.stdout.read(1 << 16)
        assert piece, read[-2000:]
        read += piece
    return read


async def confirm_resume_code(process: asyncssh.SSHClientProcess[bytes]) -> None:
    """Confirm the resume code of a first login."""
    await shown(process, CONFIRM.encode())
    process.stdin.write(b"\r")


class Impatient(asyncssh.SSHClient):
    """A client that sends many codes at once, without waiting for answers."""

    def __init__(self, codes: list[str], name: str) -> None:
        self._codes, self._name = codes, name
        self._connection: Any = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def password_auth_requested(self) -> str:
        *early, last = self._codes
        for code in early:
            parts = (String(self._name), String("ssh-connection"), String("password"), Boolean(False))
            self._connection.send_packet(MSG_USERAUTH_REQUEST, *parts, String(code))
        return last


class Borrowed(asyncssh.SSHKeyPair):
    """The public key of somebody else, without the private key."""

    _key_type = "public"

    def __init__(self, public: asyncssh.SSHKey) -> None:
        algorithm = public.algorithm
        super().__init__(algorithm, algorithm, (algorithm,), (algorithm,), public.public_data, b"not mine")

    async def sign_async(self, data: bytes) -> bytes:
        return self.sign(data)

    def sign(self, data: bytes) -> bytes:
        return String(self.algorithm) + String(bytes(64))
