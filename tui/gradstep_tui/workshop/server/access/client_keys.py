"""Checks of clients' keys: their algorithm, their size, and the algorithms of their signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.workshop.server.access.algorithms import SIGNATURES
from gradstep_tui.workshop.server.access.asyncssh_internals import restrict_signatures, size_of

if TYPE_CHECKING:
    from asyncssh import SSHKey

SMALLEST_RSA: Final = 3072
"""Smallest size of an RSA key, in bits."""


def weakness(key: SSHKey) -> str:
    """Return why a key is not accepted, or an empty text; then its signatures must be among `SIGNATURES`."""
    algorithm = key.get_algorithm()
    if algorithm == "ssh-rsa":
        if size_of(key) < SMALLEST_RSA:
            return f"an RSA key of {size_of(key)} bits"
    elif algorithm not in SIGNATURES:
        return f"a key of the type {algorithm}"
    restrict_signatures(key, SIGNATURES)
    return ""
