"""What one client can send to stop a class: each attack sends it, and returns with the client connected."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import asyncssh
from asyncssh.channel import SSHClientChannel
from asyncssh.constants import (
    MSG_CHANNEL_OPEN,
    MSG_DEBUG,
    MSG_GLOBAL_REQUEST,
    MSG_IGNORE,
    MSG_USERAUTH_REQUEST,
)
from asyncssh.packet import Boolean, Byte, String, UInt32, UInt64

OPEN, READ, OPENDIR, READDIR, REALPATH, STAT = 3, 5, 11, 12, 16, 17

Attack = Callable[[Any], Awaitable[None]]

HUGE: Final = 1 << 31
"""Size of a window that is never full."""


def request(kind: int, *parts: bytes) -> bytes:
    """Return a request of the protocol of `sftp`."""
    payload = Byte(kind) + UInt32(7) + b"".join(parts)
    return UInt32(len(payload)) + payload


async def sftp(connection: Any, data: bytes) -> None:
    """Begin a file transfer, read none of the answers, and send requests as long as they are taken."""
    process = await connection.create_process(subsystem="sftp", encoding=None, window=HUGE)
    start = Byte(1) + UInt32(3)
    process.stdin.write(UInt32(len(start)) + start)
    await process.stdout.read(1)
    process.stdin.write(request(OPEN, String("data"), UInt32(1), UInt32(0)))
    await process.stdout.read(1)
    connection._transport.pause_reading()
    process.stdin.write(data)
    await sent(connection)


async def sent(connection: Any, seconds: float = 0.8) -> None:
    """Wait until everything is sent, or until the server has had the time to take a part of it."""
    end = asyncio.get_running_loop().time() + seconds
    while (transport := connection._transport) is not None and asyncio.get_running_loop().time() < end:
        if not transport.get_write_buffer_size():
            seconds = min(seconds, 0.25)
            end = min(end, asyncio.get_running_loop().time() + seconds)
        await asyncio.sleep(0.05)


async def reads(connection: Any) -> None:
    """Ask for a file again and again, and do not read."""
    await sftp(connection, request(READ, String(bytes(4)), UInt64(0), UInt32(0xFFFFFFFF)) * 20_000)


async def opens(connection: Any) -> None:
    """Open a file a thousand times."""
    await sftp(connection, request(OPEN, String("data"), UInt32(1), UInt32(0)) * 1_000)


async def folders(connection: Any) -> None:
    """Open a folder a thousand times, and list it."""
    listing = b"".join(request(READDIR, String(UInt32(number))) for number in range(1, 200))
    await sftp(connection, request(OPENDIR, String("/")) * 1_000 + listing)


async def stats(connection: Any) -> None:
    """Ask for attributes of files with long paths, and for kinds of requests that do not exist."""
    await sftp(connection, (request(STAT, String("a/../" * 600)) + request(99) * 20) * 2_000)


async def paths(connection: Any) -> None:
    """Ask for the real path of a very long path."""
    await sftp(connection, request(REALPATH, String("./" * 16_000)) * 60)


async def long_request(connection: Any) -> None:
    """Begin a request of four megabytes."""
    await sftp(connection, UInt32(4 << 20) + Byte(STAT) + bytes(4 << 20))


async def patterns(connection: Any) -> None:
    """Fetch files after a pattern that is expensive to compile."""
    await command(connection, "scp -f " + "[ab]*" * 40_000)
    await command(connection, "scp -f -- " + "*" * 280)


async def command(connection: Any, line: str) -> None:
    """Have a command run."""
    with suppress(asyncssh.Error, OSError):
        process = await connection.create_process(line, encoding=None)
        process.stdin.write(b"\0" * 10)
    await sent(connection)


async def deaf_scp(connection: Any) -> None:
    """Fetch a large file by `scp`, and do not read it."""
    process = await connection.create_process("scp -f data", encoding=None, window=HUGE)
    connection._transport.pause_reading()
    process.stdin.write(b"\0" * 10)
    await sent(connection)


async def ignored(connection: Any) -> None:
    """Send packets that mean nothing."""
    for _ in range(5_000):
        connection.send_packet(MSG_IGNORE, String(b""))
        connection.send_packet(MSG_DEBUG, Boolean(False), String(b"x"), String(b""))
    await sent(connection)


async def unanswered(connection: Any) -> None:
    """Send requests that want an answer, and read none."""
    connection._transport.pause_reading()
    for _ in range(5_000):
        connection.send_packet(MSG_GLOBAL_REQUEST, String("x" * 50), Boolean(True))
    await sent(connection)


async def channels(connection: Any) -> None:
    """Open many channels."""
    for number in range(2_000):
        parts = String("session"), UInt32(number), UInt32(HUGE), UInt32(32768)
        connection.send_packet(MSG_CHANNEL_OPEN, *parts)
    await sent(connection)


async def channel_requests(connection: Any, requests: Callable[[int], tuple[bytes, ...]], count: int) -> None:
    """Open a session, and send requests on it."""
    loop = asyncio.get_running_loop()
    opened: Any = SSHClientChannel(connection, loop, "strict", None, "strict", 1 << 20, 1 << 15)
    await opened._open(b"session")
    for number in range(count):
        name, *parts = requests(number)
        opened._send_request(name, *parts)
    await sent(connection)


async def variables(connection: Any) -> None:
    """Set many environment variables."""
    await channel_requests(
        connection, lambda number: (b"env", String(f"A{number}"), String("x" * 400)), 8_000
    )


async def modes(connection: Any) -> None:
    """Ask for terminals with many modes."""
    size = tuple(UInt32(9) for _ in range(4))
    many = String(b"\x01\0\0\0\0" * 6_000)
    await channel_requests(connection, lambda _: (b"pty-req", String("x" * 999), *size, many), 100)


async def subsystems(connection: Any) -> None:
    """Ask for subsystems with long names, and for commands."""
    await channel_requests(connection, lambda _: (b"subsystem", String("x" * 30_000)), 100)


async def screens(connection: Any) -> None:
    """Say again and again that the terminal has another size."""

    def sizes(number: int) -> tuple[bytes, ...]:
        if number < 2:
            return (
                (b"pty-req", String("xterm"), *(UInt32(80),) * 4, String(b"")) if not number else (b"shell",)
            )
        return (b"window-change", *(UInt32(20 + number % 300),) * 4)

    await channel_requests(connection, sizes, 3_000)


async def small_packets(connection: Any) -> None:
    """Want each byte in a packet of its own."""
    loop = asyncio.get_running_loop()
    opened: Any = SSHClientChannel(connection, loop, "strict", None, "strict", 1 << 20, 1)
    with suppress(asyncssh.Error, OSError):
        await asyncio.wait_for(opened._open(b"session"), 2)
        opened._send_request(b"pty-req", String("xterm"), *(UInt32(300),) * 4, String(b""))
        opened._send_request(b"shell")
    await sent(connection)


async def paste(connection: Any) -> None:
    """Paste some megabytes into a bench."""
    process = await connection.create_process(
        term_type="xterm", term_size=(80, 24), encoding=None, window=HUGE
    )
    process.stdin.write(b"x?\x1b[A" * 300_000)
    await sent(connection)


async def bombs(connection: Any) -> None:
    """Send packets that are large when they are unpacked."""
    connection._compressor = zlib.compressobj(9)

    class Once:
        def compress(self, data: bytes) -> bytes:
            packed = zlib.compressobj(9)
            return packed.compress(Byte(MSG_IGNORE) + bytes(8 << 20)) + packed.flush(zlib.Z_SYNC_FLUSH)

    connection._compressor = Once()
    connection.send_packet(MSG_IGNORE, String(b""))
    await sent(connection)


async def new_keys(connection: Any) -> None:
    """Begin key exchanges as fast as the server takes part."""
    end = asyncio.get_running_loop().time() + 0.8
    while connection._transport is not None and asyncio.get_running_loop().time() < end:
        if connection._kex is None and connection._kex_complete:
            connection._send_kexinit()
            connection._kexinit_sent = True
        await asyncio.sleep(0)


async def half_exchange(connection: Any) -> None:
    """Begin a key exchange, do not end it, and want answers meanwhile."""
    connection._send_kexinit()
    await asyncio.sleep(0.05)
    connection._kex_complete = True
    for _ in range(5_000):
        connection.send_packet(MSG_GLOBAL_REQUEST, String("x" * 50), Boolean(True))
    await sent(connection)


ATTACKS: Final[tuple[Attack, ...]] = (
    *(reads, opens, folders, stats, paths, long_request, patterns, deaf_scp, ignored, unanswered, channels),
    *(variables, modes, subsystems, screens, small_packets, paste, bombs, new_keys, half_exchange),
)


class LongAnswers(asyncssh.SSHClient):
    """A client that sends a long name, password or answer."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._connection: Any = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def password_auth_requested(self) -> str:
        for name in ("x" * self._length, "x" * 1_000, "guesser"):
            parts = (String(name), String("ssh-connection"), String("password"), Boolean(False))
            self._connection.send_packet(MSG_USERAUTH_REQUEST, *parts, String("\u00e4" * self._length))
        return "x" * self._length

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(self, *_: object) -> list[str]:
        return ["x" * self._length]
