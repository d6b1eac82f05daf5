"""The list of keys as text: sections below each other, or in two columns if there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from gradstep_tui.drawing.lines import Line, Span, beside, fitted, line, wrapped
from gradstep_tui.screens.help.help_sections import HelpSection

NARROWEST: Final = 6
"""Cells for the signs of a section, at least."""

SIDE_BY_SIDE: Final = 106
"""Smallest width, in cells, of a list in two columns."""

GAP: Final = 3
"""Cells between two columns."""

STYLES: Final = {"title": "bold underline", "key": "bold"}
"""Rich's style for each role."""


def help_text(sections: Sequence[HelpSection], width: int, wanted: str = "") -> Text:
    """Return sections as text; a sentence if there is no row with the wanted words.

    Args:
        sections: The sections, which are read down the first column and then down the second.
        width: Width of a line, in cells.
        wanted: Words that the rows have.
    """
    if not sections:
        return Text(f" No key, sign or word here has {wanted!r}: Backspace takes a letter back.")
    rows = _columns(sections, width) if width >= SIDE_BY_SIDE and len(sections) > 1 else None
    if rows is None:
        rows = _stacked([_section_lines(section, width) for section in sections])
    text = Text(no_wrap=True)
    for number, row in enumerate(rows):
        text.append("\n" * bool(number))
        for span in row:
            text.append(span.text, STYLES.get(span.role, ""))
    return text


def _columns(sections: Sequence[HelpSection], width: int) -> list[Line]:
    """Return sections in two columns of nearly the same height; no section is in both."""
    half = (width - GAP) // 2
    blocks = [_section_lines(section, half) for section in sections]
    heights = [len(block) + 1 for block in blocks]
    first = min(range(1, len(blocks)), key=lambda at: max(sum(heights[:at]), sum(heights[at:])))
    left = [fitted(row, half) for row in _stacked(blocks[:first])]
    return beside(left, _stacked(blocks[first:]), GAP)


def _stacked(blocks: Sequence[Sequence[Line]]) -> list[Line]:
    """Return blocks of lines below each other, with an empty line between them."""
    return [row for number, block in enumerate(blocks) for row in (*[line()] * bool(number), *block)]


def _section_lines(section: HelpSection, width: int) -> list[Line]:
    """Return the lines of a section: its heading, and each row with its text beside the sign."""
    wide = max([NARROWEST, *(len(row.sign) for row in section.rows)])
    found = [line(" ", Span(section.title, "title"))]
    for row in section.rows:
        sign, *rest = wrapped(row.text, width - wide - 2)
        found.append(line(" ", Span(f"{row.sign:<{wide}} ", "key"), *sign))
        found += [line(" " * (wide + 2), *more) for more in rest]
    return found
