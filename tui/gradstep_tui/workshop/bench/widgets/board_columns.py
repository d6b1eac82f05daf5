"""Rows of the board as lines of text. The terminal's width decides which columns there are, and how wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gradstep_tui.drawing.lines import Line, Span, fitted, line
from gradstep_tui.workshop.bench.widgets.board_rows import state_texts
from gradstep_tui.workshop.bench.widgets.board_text import (
    epoch_text,
    last_text,
    loss_text,
    next_text,
    waiting_text,
)
from gradstep_tui.workshop.wire.facts import LEVELS
from gradstep_tui.workshop.wire.messages import Row

BARS: Final = "▁▂▃▄▅▆▇█"
CURSOR: Final = ">"
SIGNS: Final = "!xwf"
"""Head of the signs, in the order in which `signs` returns them."""

MIDDLE: Final = 110
WIDE: Final = 150
"""Terminal widths from which the columns are wider, in cells."""

LEAST_LAST: Final = 8
"""Narrowest useful width of the last column, in cells; with less room it is left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the board."""

    title: str
    widths: tuple[int, int, int]
    """Cells on a small, a middle-sized and a wide terminal: 0 for a hidden column, -1 for the rest."""

    text: Callable[[Row, float], str]
    """Text of the column for a row, at a time in seconds since 1970."""

    right: bool = False
    """Whether the text is flush right."""

    fits: bool = False
    """Whether the column is no wider than its longest text."""


COLUMNS: Final = (
    Column("name", (12, 16, 24), lambda row, _: row.name, fits=True),
    Column("problem", (9, 10, 10), lambda row, _: row.problem, fits=True),
    Column("next", (12, 14, 15), lambda row, _: next_text(row.facts.phase)),
    Column("epoch", (7, 9, 9), lambda row, _: epoch_text(row.facts.epoch), right=True),
    Column("loss", (10, 11, 11), lambda row, _: loss_text(row), right=True),
    Column("curve", (6, 12, 20), lambda row, _: row.facts.curve),
    Column("idle", (6, 6, 6), waiting_text, right=True),
    Column("state", (0, 0, 30), lambda row, now: ", ".join(state_texts(row, now)), fits=True),
    Column("last", (-1, -1, -1), lambda row, _: last_text(row)),
)


def table_lines(rows: Sequence[Row], chosen: str, width: int, height: int, now: float) -> list[Line]:
    """Return the head of the table, and as many rows around the chosen one as there is room for.

    Args:
        rows: Rows, in their order.
        chosen: Name of the chosen learner.
        width: Cells of a line.
        height: Number of lines.
        now: Time in seconds since 1970.
    """
    names = [row.name for row in rows]
    at = names.index(chosen) if chosen in names else 0
    room = max(height - 1, 1)
    first = min(max(at - room // 2, 0), max(len(rows) - room, 0))
    columns = columns_for(rows, width, now)
    head = " ".join(_padded(column.title, cells, column.right) for column, cells in columns)
    shown = rows[first : first + room]
    return [
        fitted(line(Span(f" {SIGNS} {head}", "label")), width),
        *(_row_line(row, columns, row.name == chosen, width, now) for row in shown),
    ]


def columns_for(rows: Sequence[Row], width: int, now: float) -> list[tuple[Column, int]]:
    """Return the columns that fit into a line of `width` cells, each with its own width."""
    size = 2 if width >= WIDE else 1 if width >= MIDDLE else 0
    room = width - len(SIGNS) - 2
    found = []
    for column in COLUMNS:
        cells = column.widths[size]
        if column.fits:
            cells = min(cells, max([len(column.title), *(len(column.text(row, now)) for row in rows)]))
        if cells < 0:
            cells = room if room >= LEAST_LAST else 0
        if cells:
            found.append((column, cells))
            room -= cells + 1
    return found


def signs(row: Row) -> str:
    """Return four signs: for a raised hand, for PyTorch's refusal, for watching, and for following."""
    watching = "w" if row.watched else " " if row.allows else "-"
    hand, refused = "!" if row.hand else " ", "x" if row.facts.refusal is not None else " "
    return f"{hand}{refused}{watching}{'f' if row.following else ' '}"


def sparkline(curve: str, cells: int) -> str:
    """Return a curve of digits as bars, in at most `cells` cells."""
    if len(curve) > cells:
        curve = "".join(curve[number * len(curve) // cells] for number in range(cells - 1)) + curve[-1]
    return "".join(BARS[LEVELS.index(level)] if level in LEVELS else " " for level in curve)


def _row_line(row: Row, columns: Sequence[tuple[Column, int]], chosen: bool, width: int, now: float) -> Line:
    role = "current" if chosen else "" if row.online else "dim"
    warn = "warn" if not chosen and (row.hand or row.facts.refusal is not None) else role
    texts = [_cell_text(row, column, cells, now) for column, cells in columns]
    start = f"{CURSOR if chosen else ' '}{signs(row)} {texts[0]} "
    return fitted(line(Span(start, warn), Span(" ".join(texts[1:]), role)), width, role)


def _cell_text(row: Row, column: Column, cells: int, now: float) -> str:
    text = column.text(row, now)
    if column.title == "curve":
        text = sparkline(text, cells)
    return _padded(text, cells, column.right)


def _padded(text: str, cells: int, right: bool) -> str:
    cut = text if len(text) <= cells else f"{text[: cells - 1]}…"
    return f"{cut:>{cells}}" if right else f"{cut:<{cells}}"
