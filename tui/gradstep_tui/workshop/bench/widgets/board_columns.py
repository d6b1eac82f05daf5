"""How a learner's row is drawn: which columns there are, and how wide, depends on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gradstep_tui.drawing.lines import Line, Span, fitted, line
from gradstep_tui.text.numbers import cell
from gradstep_tui.workshop.bench.widgets.board_rows import idle_text, state_words
from gradstep_tui.workshop.wire.facts import LEVELS
from gradstep_tui.workshop.wire.messages import Row

BARS: Final = "▁▂▃▄▅▆▇█"
CURSOR: Final = "|"
SIGNS: Final = "!xwf"
"""Over the signs of `signs`, in their order."""

MIDDLE: Final = 110
WIDE: Final = 150
"""Columns from which more of each is shown."""

LEAST_LAST: Final = 8
"""Cells below which the last column is left out: it says nothing then."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the board."""

    title: str
    widths: tuple[int, int, int]
    """Cells on a small, a middle-sized and a wide terminal; 0 where it is not shown, -1 for what is left."""

    text: Callable[[Row, float], str]
    right: bool = False
    """Whether it is flush right."""

    fits: bool = False
    """Whether it is no wider than what stands in it."""


COLUMNS: Final = (
    Column("name", (12, 16, 24), lambda row, _: row.name, fits=True),
    Column("problem", (9, 10, 10), lambda row, _: row.problem, fits=True),
    Column("next", (12, 14, 15), lambda row, _: next_text(row)),
    Column("epoch", (7, 9, 9), lambda row, _: epoch_text(row.facts.epoch), right=True),
    Column("loss", (10, 11, 11), lambda row, _: loss_text(row), right=True),
    Column("curve", (6, 12, 20), lambda row, _: row.facts.curve),
    Column("idle", (6, 6, 6), lambda row, now: waits_text(row, now), right=True),
    Column("state", (0, 0, 30), lambda row, now: ", ".join(state_words(row, now)), fits=True),
    Column("last", (-1, -1, -1), lambda row, _: last_text(row)),
)


def table_lines(rows: Sequence[Row], chosen: str, width: int, height: int, now: float) -> list[Line]:
    """Draw a head, and the rows around the chosen one."""
    names = [row.name for row in rows]
    at = names.index(chosen) if chosen in names else 0
    room = max(height - 1, 1)
    first = min(max(at - room // 2, 0), max(len(rows) - room, 0))
    columns = columns_for(rows, width, now)
    head = " ".join(_padded(one.title, cells, one.right) for one, cells in columns)
    shown = rows[first : first + room]
    return [
        fitted(line(Span(f" {SIGNS} {head}", "label")), width),
        *(_row_line(row, columns, row.name == chosen, width, now) for row in shown),
    ]


def columns_for(rows: Sequence[Row], width: int, now: float) -> list[tuple[Column, int]]:
    """Give the columns that there is room for, each with its cells."""
    size = 2 if width >= WIDE else 1 if width >= MIDDLE else 0
    room = width - len(SIGNS) - 2
    found = []
    for one in COLUMNS:
        cells = one.widths[size]
        if one.fits:
            cells = min(cells, max([len(one.title), *(len(one.text(row, now)) for row in rows)]))
        if cells < 0:
            cells = room if room >= LEAST_LAST else 0
        if cells:
            found.append((one, cells))
            room -= cells + 1
    return found


def signs(row: Row) -> str:
    """Give a sign for a raised hand, for what PyTorch refused, for watching, for following."""
    watching = "w" if row.watched else " " if row.allows else "-"
    hand, refused = "!" if row.hand else " ", "x" if row.facts.error else " "
    return f"{hand}{refused}{watching}{'f' if row.following else ' '}"


def sparkline(curve: str, cells: int) -> str:
    """Draw a curve of digits in at most so many cells."""
    if len(curve) > cells:
        curve = "".join(curve[number * len(curve) // cells] for number in range(cells - 1)) + curve[-1]
    return "".join(BARS[LEVELS.index(one)] if one in LEVELS else " " for one in curve)


def next_text(row: Row) -> str:
    """Say what comes next, in a column that is called so."""
    return row.facts.phase.removeprefix("next: ").replace("in backward", "node") or "forward"


def loss_text(row: Row) -> str:
    """Write the last loss."""
    loss = row.facts.loss
    return "" if loss is None else loss if isinstance(loss, str) else cell(loss)


def epoch_text(epoch: int) -> str:
    """Write a number of epochs in at most seven cells."""
    return f"{epoch:,}" if epoch < 1_000_000 else f"{epoch / 1e6:.1f}M" if epoch < 1e9 else "a lot"


def waits_text(row: Row, now: float) -> str:
    """Say for how long nothing was done."""
    return idle_text(now - row.at) if row.online else "away"


def last_text(row: Row) -> str:
    """Say what was done last, and what PyTorch refused of it."""
    return f"refused: {row.facts.error}" if row.facts.error else row.facts.done


def _row_line(row: Row, columns: Sequence[tuple[Column, int]], chosen: bool, width: int, now: float) -> Line:
    role = "current" if chosen else "" if row.online else "dim"
    warn = "warn" if not chosen and (row.hand or row.facts.error) else role
    texts = [_cell_text(row, one, cells, now) for one, cells in columns]
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
