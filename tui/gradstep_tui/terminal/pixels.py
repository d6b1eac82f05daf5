"""How a terminal shows pictures made of pixels, by what the environment says, and how large its cells are.

A terminal could be asked. But the answer would arrive among the keys, and one that gives none would have to
be waited for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

VARIABLE: Final = "GRADSTEP_PIXELS"
"""Environment variable that chooses a protocol by its name, or `off`."""


class PixelProtocol(StrEnum):
    """Ways to send a terminal a picture."""

    KITTY = "kitty"
    SIXEL = "sixel"


BY_TERM: Final = {
    "xterm-kitty": PixelProtocol.KITTY,
    "xterm-ghostty": PixelProtocol.KITTY,
    "foot": PixelProtocol.SIXEL,
    "foot-extra": PixelProtocol.SIXEL,
}
"""Protocols of terminals, by TERM."""

BY_PROGRAM: Final = {
    "ghostty": PixelProtocol.KITTY,
    "WezTerm": PixelProtocol.SIXEL,
}
"""Protocols of terminals, by TERM_PROGRAM."""

BETWEEN: Final = ("TMUX", "STY")
"""Variables of programs between gradstep and the terminal, which do not pass pictures on."""

REMOTE: Final = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")

SMALLEST, LARGEST = 2, 200
"""Believed width or height of a cell, in pixels."""


def pixel_protocol(environ: Mapping[str, str] = os.environ) -> PixelProtocol | None:
    """Return how to send the terminal pictures; None if it shows none, or none by default, as over SSH.

    `GRADSTEP_PIXELS` comes first; a value other than a protocol or `off` counts as not set.
    """
    chosen = environ.get(VARIABLE, "").strip().lower()
    if chosen == "off":
        return None
    if chosen in [*PixelProtocol]:
        return PixelProtocol(chosen)
    if any(environ.get(name) for name in (*REMOTE, *BETWEEN)):
        return None
    return BY_TERM.get(environ.get("TERM", "")) or BY_PROGRAM.get(environ.get("TERM_PROGRAM", ""))


def cell_size() -> tuple[int, int] | None:
    """Return the pixels of a cell, across and upwards; None if the terminal does not say."""
    try:
        import fcntl
        import termios
        from struct import unpack

        assert sys.__stdin__ is not None
        answer = fcntl.ioctl(sys.__stdin__.fileno(), termios.TIOCGWINSZ, bytes(8))
        rows, columns, across, down = unpack("HHHH", answer)
    except (ImportError, OSError, ValueError, AssertionError):
        return None
    if not rows or not columns:
        return None
    size = across // columns, down // rows
    return size if all(SMALLEST <= side <= LARGEST for side in size) else None
