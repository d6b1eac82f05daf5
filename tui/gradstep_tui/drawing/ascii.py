"""Plain ASCII output, for terminals that cannot show anything else."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LOOKALIKES: Final = {
    "─━═╌┄╴╶": "-",
    "│┃║▌▐╎┆▏▕▎": "|",
    "╭╮╰╯├┤┼╔╗╚╝": "+",
    "┌┐┬": ".",  # so that the lines of a graph show where they go: down,
    "└┘┴": "'",  # or up
    "…": "~",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "•●∙·": "*",
    "▁▂": "_",
    "▃▄": "-",
    "▅▆": "=",
    "▇█▉▊▋": "#",
    "▔▀": "~",
    "×": "x",
    "–—": "-",
    "‘’": "'",
    "“”": '"',
    "✓": "+",
    "▶": ">",
    "▼": "v",
}
TABLE: Final = {ord(char): plain for chars, plain in _LOOKALIKES.items() for char in chars}
"""What stands for each character; any other one becomes as many `?` as it takes cells."""

COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to where it finds the C locale."""


class AsciiFilter(LineFilter):
    """Rewrites everything that any screen draws, cell for cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Give the segments with ASCII text only, as wide as before."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=to_ascii(segment.text))
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """Rewrite text in ASCII, cell for cell."""
    return "".join(char if char.isascii() else TABLE.get(ord(char), "?" * cell_len(char)) for char in text)


def terminal_speaks_utf8(
    environ: Mapping[str, str] = os.environ, utf8_mode: bool = bool(sys.flags.utf8_mode)
) -> bool:
    """Whether the locale that the terminal was started in is a UTF-8 one.

    Python itself is no help: in the C locale it switches to UTF-8, whatever the terminal can show, and
    sets LC_CTYPE so, which `utf8_mode` gives away.
    """
    if os.name == "nt":
        return True
    ctype = environ.get("LC_CTYPE")
    if utf8_mode and ctype in COERCED and "PYTHONUTF8" not in environ:
        ctype = None
    named = environ.get("LC_ALL") or ctype or environ.get("LANG") or "C"
    if named in ("C", "POSIX"):
        return False
    # macOS names the charset alone: LC_CTYPE=UTF-8.
    charset = named if named.upper() == "UTF-8" else named.partition("@")[0].partition(".")[2]
    # A name without a charset, e.g. de_DE, leaves it to the system's tables.
    return (charset or locale.normalize(named).partition(".")[2]).replace("-", "").lower() == "utf8"
