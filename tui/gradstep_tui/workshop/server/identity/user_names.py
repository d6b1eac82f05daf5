"""What a learner may be called: a name becomes part of a path, of a log line and of the board."""

from __future__ import annotations

import re
from typing import Final

from gradstep.errors import BadInput

LONGEST: Final = 24

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)


def checked_name(given: str) -> str:
    """Give a learner's name; capitals become small letters, so that no two names look alike.

    Raises:
        BadInput: it is none: too long, or with characters that a name does not have.
    """
    name = given.lower() if given.isascii() else given
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise BadInput(
            f"{shown(given)} cannot be a name here: take a letter, then letters, digits, - or _, "
            f"at most {LONGEST} in all"
        )
    return name


def shown(text: str) -> str:
    """Write what a stranger sent so that it does nothing to a terminal or a log."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return ascii(short)
