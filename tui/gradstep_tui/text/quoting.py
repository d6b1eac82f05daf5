"""Typed text, as a message repeats it."""

from __future__ import annotations

from typing import Final

LONGEST_QUOTED: Final = 40
"""Characters of typed text that a message repeats at most."""


def quoted(text: str) -> str:
    """Return typed text in quotes and escaped; a long one is cut after `LONGEST_QUOTED` characters."""
    return ascii(text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}...")
