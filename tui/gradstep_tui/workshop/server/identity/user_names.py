"""User names: they become part of paths, of log lines and of the board."""

from __future__ import annotations

import re
from typing import Final

from gradstep.errors import BadInput

LONGEST: Final = 24
"""Largest number of characters of a name."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)


def checked_name(given: str) -> str:
    """Return a user name in small letters, so that no two names look alike.

    Raises:
        BadInput: the name is too long, or contains characters that are not allowed.
    """
    name = given.lower() if given.isascii() else given
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise BadInput(
            f"{shown(given)} is not a valid user name: use a letter, then letters, digits, - or _, "
            f"at most {LONGEST} characters"
        )
    return name


def shown(text: str) -> str:
    """Return a text in ASCII and cut, so that it does nothing to a terminal or a log."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return ascii(short)
