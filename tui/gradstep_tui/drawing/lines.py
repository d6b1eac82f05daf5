"""Lines of text with roles: the result of the drawing functions, before colours are applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

ROLES: Final = (
    *("title", "label", "dim", "mark", "current", "warn", "caution", "key"),
    *("lit", "keyword", "string", "number", "comment"),
)
"""Roles that a piece of text may have; each has a style in the panel's CSS. Plain text has the role ''."""

OVER: Final = "/"
"""Sign in a role that gives text a background, `mark/#440154`, both colours, `#ffffff/#440154`, or a heat.

A heat, as in `mark/-3`, is drawn only where there are colours enough.
"""


class Span(NamedTuple):
    """A piece of text and its role."""

    text: str
    role: str = ""


Line: TypeAlias = tuple[Span, ...]


def on_colour(role: str, background: str) -> str:
    """Return the role of text with a role, or a colour such as `#ffffff`, on a background or a heat."""
    return f"{role}{OVER}{background}"


def line(*pieces: str | Span) -> Line:
    """Return a line made of spans and plain strings; empty pieces are left out."""
    spans = (piece if isinstance(piece, Span) else Span(piece) for piece in pieces)
    return tuple(span for span in spans if span.text)


def length(spans: Iterable[Span]) -> int:
    """Return the number of terminal cells that the spans take."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in spans])


def joined(spans: Iterable[Span]) -> Line:
    """Return the line that spans make, neighbours of the same role as one span, empty ones left out."""
    whole: list[Span] = []
    for span in spans:
        if whole and whole[-1].role == span.role:
            whole[-1] = Span(whole[-1].text + span.text, span.role)
        elif span.text:
            whole.append(span)
    return tuple(whole)


def fitted(spans: Line, width: int, role: str = "") -> Line:
    """Return a line of exactly `width` cells: a longer line is cut with an ellipsis, a shorter one padded.

    The padding and the ellipsis have the given role; without one, the ellipsis is dim.
    """
    missing = width - length(spans)
    if missing >= 0:
        return (*spans, Span(" " * missing, role)) if missing else spans
    kept: list[Span] = []
    room = width - 1
    for span in spans:
        if room <= 0:
            break
        cut = span.text if cell_len(span.text) <= room else set_cell_size(span.text, room)
        kept.append(Span(cut, span.role))
        room -= cell_len(cut)
    return (*kept, Span("…", role or "dim")) if width > 0 else ()


def wrapped(text: str, width: int, role: str = "", most: int | None = None) -> list[Line]:
    """Return text broken into lines of at most `width` cells.

    Args:
        text: The text.
        width: Largest width of a line, in cells.
        role: Role of the lines.
        most: Largest number of lines; the last one then holds the rest of the text, however long. None for no
            limit.
    """
    pieces = wrap(text, max(width, 1)) or [""]
    if most is not None and len(pieces) > most:
        pieces = [*pieces[: most - 1], " ".join(pieces[most - 1 :])]
    return [line(Span(piece, role)) for piece in pieces]


def beside(left: Sequence[Line], right: Sequence[Line], gap: int = 2) -> list[Line]:
    """Return two blocks of lines side by side, `gap` cells apart."""
    width = max((length(spans) for spans in left), default=0)
    rows = max(len(left), len(right))
    empty: Line = ()
    return [
        (
            *fitted(left[row] if row < len(left) else empty, width),
            Span(" " * gap),
            *(right[row] if row < len(right) else empty),
        )
        for row in range(rows)
    ]


def window_start(current: int, count: int, height: int) -> int:
    """Return the first row to draw of a long list, so that the current row and some neighbours are visible.

    The window moves by half its height at a time, so that most steps redraw two rows instead of all of them.

    Args:
        current: Number of the current row, counted from 0.
        count: Number of rows in the list.
        height: Number of rows that are visible.
    """
    half = max(height // 2, 1)
    return min(max(current // half * half - height // 4, 0), max(count - height, 0))
