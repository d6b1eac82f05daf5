"""The one door to what is undocumented in asyncssh.

No other module of gradstep reaches these names. `NAMES` says for each what it is for and what breaks without
it. Importing this module, which `gradstep serve` does when it starts, checks the installed asyncssh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncssh

from gradstep.private_names import Library, PrivateName, check_names, is_there

ASYNCSSH: Final = Library("asyncssh", "asyncssh")

SFTP_VERSION: Final = 3
"""Version of the protocol that OpenSSH's `sftp` speaks."""


def _stream() -> Any:
    from asyncssh import stream

    return stream


def _kex() -> Any:
    from asyncssh import kex

    return kex


_KEY_EXCHANGES: Final = PrivateName(
    "asyncssh.kex.get_kex_algs",
    _kex,
    "It lists the key exchanges that the installed asyncssh knows.",
    "Without it asyncssh is asked for each key exchange in turn.",
    required=False,
)

NAMES: Final = (
    PrivateName(
        "asyncssh.public_key.SSHKey.all_sig_algorithms",
        lambda: asyncssh.SSHKey,
        "A key's signatures are verified only if their algorithm is in it; the workshop takes SHA-1 out.",
        "Without it clients could log in with signatures that are no longer safe.",
    ),
    PrivateName(
        "asyncssh.public_key.SSHKey.pyca_key",
        lambda: asyncssh.SSHKey,
        "It is the key of the cryptography package, which knows the size.",
        "Without it clients could log in with RSA keys that are too small.",
    ),
    PrivateName(
        "asyncssh.stream.SSHServerStreamSession",
        _stream,
        "It is the base class of a session that serves `scp` and `sftp`; the workshop adds the bench.",
        "Without it learners could not fetch their exported files.",
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

    def __init__(self, files: Callable[[Any], asyncssh.SFTPServer]) -> None:
        """Serve the files that `files` makes for a channel."""
        super().__init__(None, files, SFTP_VERSION, allow_scp=True)

    def connection_made(self, chan: Any) -> None:
        """Remember the channel."""
        self.channel = chan
        super().connection_made(chan)


def size_of(key: asyncssh.SSHKey) -> int:
    """Return the size of an RSA key, in bits."""
    return int(key.pyca_key.key_size)  # type: ignore[union-attr]


def restrict_signatures(key: asyncssh.SSHKey, algorithms: Sequence[str]) -> None:
    """Have a key refuse signatures of other algorithms."""
    wanted = {algorithm.encode() for algorithm in algorithms}
    key.all_sig_algorithms = {*key.all_sig_algorithms} & wanted


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
