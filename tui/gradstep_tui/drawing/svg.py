"""Writes lines as an SVG, for a picture larger than the screen."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from gradstep_tui.drawing.lines import Line, length

STYLES: Final = {
    "dim": "dim",
    "current": "reverse",
    "key": "bold",
    "mark": "bold",
    "warn": "bold",
    "title": "bold",
}


def lines_svg(lines: Sequence[Line], title: str) -> str:
    """Return an SVG image of lines, as wide as the longest line."""
    width = max(map(length, lines), default=1)
    console = Console(
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    for row in lines:
        text = Text.assemble(*((part, STYLES.get(role, "")) for part, role in row), no_wrap=True)
        console.print(text, crop=False)
    return console.export_svg(title=title)
