"""Join codes and resume codes: generated, hashed, and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

SHORTEST: Final = 6
"""Smallest number of letters and digits of a code: shorter ones can be guessed, although answers are slow."""

FEWEST: Final = 5
"""Smallest number of different letters and digits."""

SHORTEST_NUMBER: Final = 10
"""Smallest number of digits of a code without letters."""

COMMON: Final = frozenset(
    [
        "password",
        "passwort",
        "passwd",
        "welcome",
        "willkommen",
        "workshop",
        "gradstep",
        "gradient",
        "gradients",
        "descent",
        "gradientdescent",
        "joincode",
        "letmein",
        "secret",
        "changeme",
        "student",
        "students",
        "teacher",
        "instructor",
        "learner",
        "learners",
        "course",
        "classroom",
        "school",
        "university",
        "machinelearning",
        "deeplearning",
        "pytorch",
        "torch",
        "python",
        "backprop",
        "learning",
        "iloveyou",
        "dragon",
        "football",
        "monkey",
        "sunshine",
        "princess",
        "master",
        "trustno",
        "superman",
        "computer",
        "training",
        "seminar",
        "summerschool",
    ]
)
"""Words that are no codes, whatever digits surround them."""

ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiop",
)
"""Rows of which a code must not be a part."""

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits of a code, without those that are easily confused."""

GROUPS: Final = 3
"""Number of groups of four: 59 bits, far more than can be guessed, since the server limits attempts."""


def generate() -> str:
    """Return a new random code, e.g. `k7mq-3f9d-xw2p`."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(GROUPS))


def weakness(code: str) -> str:
    """Return why a code is easy to guess; empty if it is not. Blanks and hyphens do not count."""
    plain = normal(code)
    if len(plain) < SHORTEST:
        return f"use at least {SHORTEST} letters and digits"
    if len(set(plain)) < FEWEST:
        return f"use at least {FEWEST} different letters and digits"
    if plain.isdecimal() and len(plain) < SHORTEST_NUMBER:
        return f"use letters as well, or at least {SHORTEST_NUMBER} digits"
    word = plain.strip("0123456789!?.,_")
    if word in COMMON or any(plain in row or plain[::-1] in row for row in ROWS):
        return "it is one of the first that anybody tries"
    return ""


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
