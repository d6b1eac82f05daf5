"""Join codes and resume codes: generated, hashed, and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits of a code, without those that are easily confused."""

GROUPS: Final = 3
"""Number of groups of four: 59 bits, far more than can be guessed, since the server limits attempts."""


def generate() -> str:
    """Return a new random code, e.g. `k7mq-3f9d-xw2p`."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(GROUPS))


def digest(code: str) -> str:
    """Return the hash of a code, for the database. Codes are random, so the hash needs no salt."""
    return hashlib.sha256(normal(code).encode()).hexdigest()


def is_same(given: str, code: str) -> bool:
    """Return whether two codes are the same, in constant time."""
    return has_digest(given, digest(code))


def has_digest(given: str, stored: str) -> bool:
    """Return whether a code has a stored hash, in constant time."""
    return hmac.compare_digest(digest(given), stored)


def normal(code: str) -> str:
    """Return a code in small letters, without blanks and hyphens."""
    return "".join(code.lower().split()).replace("-", "")
