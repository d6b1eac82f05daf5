"""The SSH algorithms that the server offers: those against which `ssh-audit` has no objection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

POST_QUANTUM: Final = (
    "mlkem768x25519-sha256",  # OpenSSH 9.9, 2024
    "sntrup761x25519-sha512@openssh.com",  # OpenSSH 8.5, 2021; asyncssh supports it if liboqs is installed
)
"""Names of the SSH key exchanges that are expected to withstand quantum computers, best first."""

CLASSICAL: Final = ("curve25519-sha256", "curve25519-sha256@libssh.org")
"""Key exchanges for older clients; `ssh-audit` warns that quantum computers may break them one day."""

# CVE-2023-48795 needs chacha20-poly1305 or CBC with an etm MAC: this list protects old clients, too.
CIPHERS: Final = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr")
MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
SIGNATURES: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Signatures of clients' keys. The server's own key is Ed25519."""


def modern(*, compress: bool, post_quantum: bool) -> Mapping[str, Sequence[str]]:
    """Return the algorithms as options for asyncssh.

    Args:
        compress: Whether every connection has to be compressed.
        post_quantum: Whether every key exchange has to resist quantum computers.
    """
    from gradstep_tui.workshop.server.access.asyncssh_internals import known_key_exchanges

    exchanges = known_key_exchanges(POST_QUANTUM)
    return {
        "kex_algs": exchanges if post_quantum else [*exchanges, *CLASSICAL],
        "encryption_algs": CIPHERS,
        "mac_algs": MACS,
        "signature_algs": SIGNATURES,
        "compression_algs": ["zlib@openssh.com"] if compress else ["none", "zlib@openssh.com"],
    }
