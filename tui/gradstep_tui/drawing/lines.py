"""Lines of text with roles: what the drawing functions give, before any colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

ROLES: Final = ("title", "label", "dim", "mark", "current", "warn", "key")
"""What a piece of text is; each has a style in the panel's CSS. Plain text has the role ''."""


class Span(NamedTuple):
    """A piece of text and its role."""

    text: str
    role: str = ""


Line: TypeAlias = tuple[Span, ...]


def line(*pieces: str | Span) -> Line:
    """Make a line of spans and of plain strings; empty pieces are left out."""
    spans = (piece if isinstance(piece, Span) else Span(piece) for piece in pieces)
    return tuple(span for span in spans if span.text)


def length(spans: Iterable[Span]) -> int:
    """Give the number of terminal cells that the spans take."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in spans])


def fitted(spans: Line, width: int, role: str = "") -> Line:
    """Cut a line to `width` cells, with an ellipsis where something is cut off, or fill it up with blanks."""
    missing = width - length(spans)
    if missing >= 0:
        return (*spans, Span(" " * missing, role)) if missing else spans
    kept: list[Span] = []
    room = width - 1
    for text, role in spans:
        if room <= 0:
            break
        cut = text if cell_len(text) <= room else set_cell_size(text, room)
        kept.append(Span(cut, role))
        room -= cell_len(cut)
    return (*kept, Span("…", "dim")) if width > 0 else ()


def wrapped(text: str, width: int, role: str = "", most: int | None = None) -> list[Line]:
    """Break text into lines of at most `width` cells; from line `most` on it is cut."""
    pieces = wrap(text, max(width, 1)) or [""]
    if most is not None and len(pieces) > most:
        pieces = [*pieces[: most - 1], " ".join(pieces[most - 1 :])]
    return [line(Span(piece, role)) for piece in pieces]


def beside(left: Sequence[Line], right: Sequence[Line], gap: int = 2) -> list[Line]:
    """Put two blocks of lines side by side."""
    width = max((length(one) for one in left), default=0)
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
    """Give the first row of a long list to draw, so that the current one is in sight, and some on both sides.

    It moves by half a window at a time: most steps then redraw two rows, and not all of them.
    """
    half = max(height // 2, 1)
    return min(max(current // half * half - height // 4, 0), max(count - height, 0))
