"""ASCII characters that look like the others that are drawn."""

from __future__ import annotations

from typing import Final

_LOOKALIKES: Final = {
    "─╌┄╴╶": "-",
    "━═": "=",
    "│┃║▌▐╎┆▏▕▎▍": "|",
    "╭╮╰╯├┤┼╔╗╚╝": "+",
    "┌┐┬": ".",  # shows that a line of a graph turns down,
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
    "▲": "^",
    "▼": "v",
}
TABLE: Final = {ord(char): plain for chars, plain in _LOOKALIKES.items() for char in chars}
"""ASCII replacement for each character, by its code point, for `str.translate`."""
