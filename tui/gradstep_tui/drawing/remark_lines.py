"""Remarks as lines: the word for the sense in its colour, then the text, broken into rows."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Final

from rich.cells import cell_len, set_cell_size

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.remarks import WORDS, Remark, Sense

ROLES: Final[Mapping[Sense, str]] = {
    Sense.SUCCESS: "mark",
    Sense.HINT: "label",
    Sense.WARNING: "caution",
    Sense.ERROR: "warn",
}
"""Role of the word before a remark of each sense."""


def remark_rows(remark: Remark, width: int) -> int:
    """Return the number of rows that a remark takes in lines of `width` cells; 0 without a text."""
    return len(_pieces(remark, width))


def remark_lines(remark: Remark, width: int, most: int, more: str = "") -> list[Line]:
    """Return a remark in at most `most` lines of `width` cells.

    Args:
        remark: The remark.
        width: Width of a line, in cells.
        most: Largest number of lines; the last one ends with an ellipsis and `more` if some text is left out.
        more: Words for how to see what is left out, e.g. `Enter shows all`; empty for none.
    """
    pieces = _pieces(remark, width)
    if len(pieces) > most:
        end = f"… {more}" if more else "…"
        last = " ".join(pieces[most - 1 :])
        pieces = [*pieces[: most - 1], set_cell_size(last, max(width - 1 - cell_len(end), 0)).rstrip() + end]
    if not pieces:
        return []
    word = f"{WORDS[remark.sense]}:"
    first = pieces[0].removeprefix(word)
    return [line(" ", Span(word, ROLES[remark.sense]), first), *(line(" ", piece) for piece in pieces[1:])]


def _pieces(remark: Remark, width: int) -> list[str]:
    return wrap(str(remark), max(width - 1, 1), break_on_hyphens=False)  # paths stay whole
