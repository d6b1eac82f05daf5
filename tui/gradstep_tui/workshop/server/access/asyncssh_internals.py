"""The one door to what is undocumented in asyncssh.

No other module of gradstep reaches these names. `NAMES` says for each what it is for and what breaks without
it. Importing this module, which `gradstep serve` does when it starts, checks the installed asyncssh.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import asyncssh

from gradstep.private_names import Library, PrivateName, check_names, is_there

ASYNCSSH: Final = Library("asyncssh", "asyncssh")

SFTP_VERSION: Final = 3
"""Version of the protocol that OpenSSH's `sftp` speaks."""

LARGEST_UNPACKED: Final = 1 << 17
"""Largest number of bytes that a client's compressed packet may have when it is unpacked."""

MOST_VARIABLES: Final = 32
"""Largest number of environment variables that are kept of those that a client sends."""

LONGEST_VARIABLE: Final = 256
"""Largest number of bytes of a variable's name and value together."""


def _stream() -> Any:
    from asyncssh import stream

    return stream


def _kex() -> Any:
    from asyncssh import kex

    return kex


def _compression() -> Any:
    from asyncssh import compression

    return compression


@cache
def _connection_fields() -> Any:
    """Return an object with the names that a connection has."""
    from asyncssh.connection import SSHConnection

    return _names_in(SSHConnection, SSHConnection.__init__)


@cache
def _channel_fields() -> Any:
    """Return an object with the names that a server's channel has."""
    from asyncssh.channel import SSHChannel, SSHServerChannel

    return _names_in(SSHServerChannel, SSHServerChannel.__init__, SSHChannel.__init__)


def _names_in(owner: type, *functions: Any) -> SimpleNamespace:
    """Return an object with the attributes of a class, and with those that some functions assign."""
    assigned = [name for function in functions for name in function.__code__.co_names]
    return SimpleNamespace(**dict.fromkeys([*dir(owner), *assigned]))


_KEY_EXCHANGES: Final = PrivateName(
    "asyncssh.kex.get_kex_algs",
    _kex,
    "It lists the key exchanges that the installed asyncssh knows.",
    "asyncssh is asked for each key exchange in turn",
    required=False,
)


def _of_connection(attribute: str, purpose: str) -> PrivateName:
    path = f"asyncssh.connection.SSHConnection.{attribute}"
    return PrivateName(path, _connection_fields, purpose, "one client could stop a class")


def _of_channel(attribute: str, purpose: str) -> PrivateName:
    path = f"asyncssh.channel.SSHServerChannel.{attribute}"
    return PrivateName(path, _channel_fields, purpose, "one client could stop a class")


NAMES: Final = (
    PrivateName(
        "asyncssh.public_key.SSHKey.all_sig_algorithms",
        lambda: asyncssh.SSHKey,
        "A key's signatures are verified only if their algorithm is in it; the workshop takes SHA-1 out.",
        "clients could log in with signatures that are no longer safe",
    ),
    PrivateName(
        "asyncssh.public_key.SSHKey.pyca_key",
        lambda: asyncssh.SSHKey,
        "It is the key of the cryptography package, which knows the size.",
        "clients could log in with RSA keys that are too small",
    ),
    PrivateName(
        "asyncssh.stream.SSHServerStreamSession",
        _stream,
        "It is the base class of a session that serves `scp` and `sftp`; the workshop adds the bench.",
        "learners could not fetch their exported files",
    ),
    PrivateName(
        "asyncssh.compression._cmp_decompressors",
        _compression,
        "It holds what unpacks a client's packets, to which gradstep sets a limit.",
        "a small packet could fill the server's memory",
    ),
    _of_connection("data_received", "It takes a client's bytes, which gradstep passes on in small pieces."),
    _of_connection("_transport", "It is the socket, from which gradstep reads no faster than it can answer."),
    _of_connection(
        "_deferred_packets", "It holds packets that wait for a key exchange; gradstep counts them."
    ),
    _of_connection("_kex", "It is the key exchange under way; gradstep limits how many a client may begin."),
    _of_connection("_max_recv_pktlen", "It is the largest packet that is accepted; gradstep lowers it."),
    _of_channel("_env", "It holds the variables that a client sends; gradstep keeps a few short ones."),
    _of_channel(
        "_send_pktsize", "It is the size of packets that a client asks for; gradstep wants a useful one."
    ),
    _KEY_EXCHANGES,
)
"""Every undocumented name of asyncssh that gradstep uses."""

check_names(ASYNCSSH, NAMES)  # before the import below, whose error would not say what to do

from asyncssh.stream import SSHServerStreamSession  # noqa: E402


class StreamSession(SSHServerStreamSession[bytes]):
    """A session on one SSH channel that serves `scp` and `sftp`, and runs no commands."""

    channel: asyncssh.SSHServerChannel[bytes] | None = None
    """The channel; None until the client has opened it."""

    packet_size: int = 0
    """Largest number of bytes that the client takes in one packet."""

    def __init__(self, files: Callable[[Any], asyncssh.SFTPServer]) -> None:
        """Serve the files that `files` makes for a channel."""
        super().__init__(None, files, SFTP_VERSION, allow_scp=True)

    def connection_made(self, chan: Any) -> None:
        """Remember the channel, and keep few of the variables that the client will send."""
        self.channel, self.packet_size = chan, chan._send_pktsize
        chan._env = _FewVariables()
        super().connection_made(chan)


def size_of(key: asyncssh.SSHKey) -> int:
    """Return the size of an RSA key, in bits."""
    return int(key.pyca_key.key_size)  # type: ignore[union-attr]


def restrict_signatures(key: asyncssh.SSHKey, algorithms: Sequence[str]) -> None:
    """Have a key refuse signatures of other algorithms."""
    wanted = {algorithm.encode() for algorithm in algorithms}
    key.all_sig_algorithms = {*key.all_sig_algorithms} & wanted


class _FewVariables(dict[bytes, bytes]):
    """Environment variables; the ones that are too many or too long are dropped."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if len(self) < MOST_VARIABLES and len(name) + len(value) <= LONGEST_VARIABLE:
            super().__setitem__(name, value)


class RawConnection:
    """What lies below a connection: its socket, its packets and its key exchange."""

    def __init__(self, connection: asyncssh.SSHServerConnection) -> None:
        """Look below a connection whose socket is open."""
        self._connection: Any = connection
        self._socket: Any = self._connection._transport

    def intercept(self, receive: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Have `receive` called with the client's bytes; return what passes them on to asyncssh."""
        passed_on: Callable[[bytes], None] = self._connection.data_received
        self._connection.data_received = receive
        return passed_on

    def pause(self, on: bool) -> None:
        """Read nothing more from the socket, or read again."""
        (self._socket.pause_reading if on else self._socket.resume_reading)()

    def limit_packets(self, most: int) -> None:
        """Accept no packet of more bytes."""
        self._connection._max_recv_pktlen = most

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return bool(self._socket.is_closing())

    @property
    def unsent(self) -> int:
        """Number of bytes in the socket's buffer because the client does not read."""
        return int(self._socket.get_write_buffer_size())

    @property
    def deferred(self) -> int:
        """Number of bytes that wait for the end of a key exchange."""
        return sum(len(part) for _, parts in self._connection._deferred_packets for part in parts)

    @property
    def exchanges_keys(self) -> bool:
        """Whether a key exchange is under way."""
        return self._connection._kex is not None


class _Unpacker:
    """Unpacks packets that were compressed with zlib, up to a size."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj()

    def decompress(self, data: bytes) -> bytes | None:
        """Return the packet; None, which ends the connection, if it is damaged or too large."""
        try:
            unpacked = self._zlib.decompress(data, LARGEST_UNPACKED)
        except zlib.error:
            return None
        return None if self._zlib.unconsumed_tail else unpacked


def limit_unpacking() -> None:
    """Have asyncssh refuse a compressed packet that would be large when it is unpacked."""
    for algorithm in (b"zlib", b"zlib@openssh.com"):
        _compression()._cmp_decompressors[algorithm] = _Unpacker


def known_key_exchanges(wanted: Sequence[str]) -> list[str]:
    """Return those of some key exchanges that the installed asyncssh knows, in the same order."""
    if is_there(_KEY_EXCHANGES):
        known = {name.decode() for name in _kex().get_kex_algs()}
        return [name for name in wanted if name in known]
    return [name for name in wanted if _is_known(name)]


def _is_known(name: str) -> bool:
    """Return whether asyncssh takes a key exchange as an option of a server."""
    try:
        asyncssh.SSHServerConnectionOptions(kex_algs=[name])
    except ValueError:
        return False
    return True
