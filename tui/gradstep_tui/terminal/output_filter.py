"""Removes control sequences that a terminal does not know from what is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gradstep_tui.terminal.capabilities import Capabilities

_MODE: Final = re.compile(r"\x1b\[\?(\d+)(h|l|\$p)|\x1b\[[<>=]\d*u")
_STYLE: Final = re.compile(r"\x1b\[([0-9;]*)m")

MOUSE: Final = ("1000", "1002", "1003", "1006", "1015", "1016")
"""Private modes of the mouse."""

CLEARED: Final = "\x1b[0m\x1b[H\x1b[J"
"""Takes the place of another screen."""


def output_filter(can: Capabilities) -> Callable[[str], str]:
    """Return a function that removes from output what a terminal does not know."""
    unknown = {
        *(() if can.mouse else MOUSE),
        *(() if can.hides_cursor else ("25",)),
        *(() if can.wraps else ("7",)),
        *(() if can.marks_pastes else ("2004",)),
        *(() if can.extensions else ("1004", "2026", "2048")),
    }
    styles = not (can.bright and can.default_colours and can.dim and can.italic)
    if not unknown and can.own_screen == "1049" and not styles:
        return lambda text: text

    def known_mode(found: re.Match[str]) -> str:
        mode, switch = found.groups()
        if mode is None:  # kitty's keys
            return found.group() if can.extensions else ""
        if mode == "1049" and can.own_screen != "1049":
            return f"\x1b[?{can.own_screen}{switch}{CLEARED}" if can.own_screen else CLEARED
        return "" if mode in unknown else found.group()

    def known_style(found: re.Match[str]) -> str:
        return f"\x1b[{_known_codes(found.group(1), can)}m"

    def filtered(text: str) -> str:
        text = _MODE.sub(known_mode, text)
        return _STYLE.sub(known_style, text) if styles else text

    return filtered


def _known_codes(codes: str, can: Capabilities) -> str:
    """Return the numbers of a style without those that the terminal does not know."""
    if not codes or "38;" in codes or "48;" in codes:  # the former ends styles, the latter have arguments
        return codes
    unknown = {
        *(() if can.dim else ("2",)),
        *(() if can.italic else ("3",)),
        *(() if can.default_colours else ("39", "49")),
    }
    known: list[str] = []
    for code in codes.split(";"):
        if code.startswith("9") and len(code) == 2 and not can.bright:
            known += ["1", f"3{code[1]}"]
        elif code.startswith("10") and len(code) == 3 and not can.bright:
            known.append(f"4{code[2]}")
        elif code not in unknown:
            known.append(code)
    return ";".join(known) or "0"
