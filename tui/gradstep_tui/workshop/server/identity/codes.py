"""Join codes and resume codes: made up, and compared without telling how much of one was right."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like others."""

GROUPS: Final = 3
"""Of four letters each: 59 bits, far beyond what can be tried against a server that counts tries."""


def made_up() -> str:
    """Make up a code, e.g. `k7mq-3f9d-xw2p`."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(GROUPS))


def digest(code: str) -> str:
    """Give what is kept of a code. It is random, so a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(normal(code).encode()).hexdigest()


def is_same(given: str, code: str) -> bool:
    """Whether a code was given; takes as long for a wrong one."""
    return has_digest(given, digest(code))


def has_digest(given: str, kept: str) -> bool:
    """Whether the code was given of which a digest was kept; takes as long for a wrong one."""
    return hmac.compare_digest(digest(given), kept)


def normal(code: str) -> str:
    """Give a code as it is compared: how it was typed does not matter."""
    return "".join(code.lower().split()).replace("-", "")
