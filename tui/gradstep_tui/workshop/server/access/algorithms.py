"""What of SSH's algorithms is offered: those that `ssh-audit` has nothing against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

POST_QUANTUM: Final = (
    "mlkem768x25519-sha256",  # OpenSSH 9.9, 2024
    "sntrup761x25519-sha512@openssh.com",  # OpenSSH 8.5, 2021; asyncssh has it where liboqs is installed
)
"""Key exchanges that resist quantum computers, too."""

CLASSICAL: Final = ("curve25519-sha256", "curve25519-sha256@libssh.org")
"""For clients without: ssh-audit warns of these, for what quantum computers may do one day."""

# Without chacha20-poly1305, and with etm only, an old client cannot be cheated by CVE-2023-48795 either.
CIPHERS: Final = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr")
MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
SIGNATURES: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Of clients' keys. The server's own is Ed25519."""


def modern(*, compress: bool, post_quantum: bool) -> Mapping[str, Sequence[str]]:
    """Give the algorithms as asyncssh's options.

    Args:
        compress: Whether nothing goes uncompressed.
        post_quantum: Whether key exchanges have to resist quantum computers.
    """
    from gradstep_tui.workshop.server.asyncssh_internals import known_key_exchanges

    exchanges = known_key_exchanges(POST_QUANTUM)
    return {
        "kex_algs": exchanges if post_quantum else [*exchanges, *CLASSICAL],
        "encryption_algs": CIPHERS,
        "mac_algs": MACS,
        "signature_algs": SIGNATURES,
        "compression_algs": ["zlib@openssh.com"] if compress else ["none", "zlib@openssh.com"],
    }
