"""The code of a script's own loop: heads, body, line numbers, roles, and the window that fits a panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.function_code import lit_part
from gradstep_tui.drawing.highlight import highlighted, lit
from gradstep_tui.drawing.lines import Line, Span, fitted, length, line, window_start
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.statements import KEY_IDS, head_text, is_compound, role_texts, visible

if TYPE_CHECKING:
    from gradstep.code_view.code_places import CodePlace
    from gradstep.loop.script_loop import LoopHead, ScriptLoop, ScriptStatement

CURSOR: Final = "|"
"""Sign before each line of the statement under the cursor."""

FOLDED: Final = "..."
"""Sign after the first line of a statement whose other lines are left out."""

NUMBERED: Final = 44
"""Width of a panel from which line numbers are shown; in a narrower one, only if no line is cut for them."""

GAP: Final = 2
"""Smallest number of cells between code and what stands at the right end of its row."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of the code, before it is fitted into a panel."""

    code: str
    """Code with its indentation."""

    line: int
    """Line of the file."""

    key: int | None = None
    """Statement that the row belongs to; None for the head of a loop."""

    right: tuple[str, ...] = ()
    """Words for the right end of the row, the most important ones first."""

    letter: str = " "
    """Key that runs the statement."""

    role: str = ""
    """Role of the code's text."""

    inside: bool = False
    """Whether the row belongs to a statement and is not its first one."""


def script_title(loop: ScriptLoop) -> str:
    """Return the file and line of the stepped loop, and the function that it stands in."""
    head = loop.heads[-1]
    within = f" in {head.function}" if head.function else ""
    return f"{Path(loop.file).name}:{head.line}{within}"


def script_lines(
    loop: ScriptLoop,
    next_key: int | None,
    cursor: int | None,
    width: int,
    height: int,
    place: CodePlace | None = None,
    digits: int = 0,
) -> list[Line]:
    """Return the lines of a script's own loop that fit a panel, with the next statement among them.

    If the code is longer than the panel, statements of several lines are folded, and the panel shows the part
    around the statement under the cursor, or else around the next one.

    Args:
        loop: The loop.
        next_key: Statement to mark as the next; None for none.
        cursor: Statement under the cursor; None for none.
        width: Width of the panel, in cells.
        height: Number of lines that fit.
        place: Expression to light; None for none.
        digits: Least width of the column of line numbers, if there is one.
    """
    focus = next((key for key in (cursor, next_key, loop.last) if key is not None), None)
    step = 2 if width >= NUMBERED else 1
    heads = [_head_row(loop, depth, step) for depth in range(len(loop.heads))]
    bodies = [_statement_rows(each, step * len(heads)) for each in loop.statements]
    rows = _fitting(heads, bodies, focus, height)
    own = _digits([*heads, *(row for body in bodies for row in body)], width)
    digits = max(own, digits) if own else 0
    focused = [place for place, row in enumerate(rows) if row.key is not None and row.key == focus] or [0]
    first = window_start(focused[0], len(rows), height)
    first = max(first, min(focused[-1] + 2, len(rows)) - height)  # the row below a statement of several lines
    shown = rows[first : first + height]
    signs = {0: "↑"} if first else {}
    signs |= {len(shown) - 1: "↓"} if first + height < len(rows) else {}
    return [
        _drawn(row, width, digits, next_key, cursor, signs.get(number, ""), place)
        for number, row in enumerate(shown)
    ]


def _head_row(loop: ScriptLoop, depth: int, step: int) -> CodeRow:
    head: LoopHead = loop.heads[depth]
    elsewhere = head.function and head.function != loop.heads[-1].function
    right = (head_text(loop, depth), *([f"in {head.function}"] if elsewhere else []))
    return CodeRow(" " * (step * depth) + visible(head.text), head.line, right=tuple(filter(None, right)))


def _statement_rows(statement: ScriptStatement, indent: int) -> list[CodeRow]:
    rows = list[CodeRow]()
    compound = is_compound(statement)
    for number, text in enumerate(statement.lines):
        code = " " * indent + ("" if statement.enabled else "# ") + visible(text)
        dim = not statement.enabled or (compound and number > 0)
        row = CodeRow(
            code, statement.line + number, statement.key, role="dim" if dim else "", inside=number > 0
        )
        if number == 0:
            sign = SIGNS.get(KEY_IDS.get(statement.role, ""), "")
            row = replace(row, letter=sign if len(sign) == 1 else " ", right=role_texts(statement))
        rows.append(row)
    return rows


def _fitting(
    heads: Sequence[CodeRow], bodies: Sequence[Sequence[CodeRow]], focus: int | None, height: int
) -> list[CodeRow]:
    """Return all rows if they fit; otherwise each statement folded, but for the one in focus if it fits."""
    whole = [*heads, *(row for body in bodies for row in body)]
    if len(whole) <= height:
        return whole
    rows = [*heads]
    for body in bodies:
        unfolded = len(body) == 1 or (body[0].key == focus and len(body) < height - 1)
        rows += body if unfolded else [replace(body[0], code=f"{body[0].code} {FOLDED}")]
    return rows


def digits_of(loop: ScriptLoop, width: int) -> int:
    """Return the width of the column of line numbers beside a loop; 0 for no such column."""
    step = 2 if width >= NUMBERED else 1
    heads = [_head_row(loop, depth, step) for depth in range(len(loop.heads))]
    bodies = [_statement_rows(each, step * len(heads)) for each in loop.statements]
    return _digits([*heads, *(row for body in bodies for row in body)], width)


def _digits(rows: Sequence[CodeRow], width: int) -> int:
    """Return the width of the column of line numbers; 0 for no such column."""
    digits = max(len(str(row.line)) for row in rows)
    longest = max(len(row.code) for row in rows) + 3
    return digits if width >= NUMBERED or longest + digits + 1 <= width else 0


def _drawn(
    row: CodeRow,
    width: int,
    digits: int,
    next_key: int | None,
    cursor: int | None,
    sign: str,
    place: CodePlace | None,
) -> Line:
    """Return a row as it is drawn: marker, line number, key, cursor, code, and words at the right end."""
    is_next = row.key is not None and row.key == next_key
    under_cursor = row.key is not None and row.key == cursor
    role = "key" if is_next and row.role != "dim" else row.role
    left = line(
        Span(">" if is_next and not row.inside else " ", role if is_next else ""),
        Span(f"{row.line:>{digits}} " if digits else "", "dim"),
        Span(f"{row.letter}{CURSOR if under_cursor else ' '}", "key"),
        *_code(row, role, place),
    )
    end = Span(f" {sign}" if sign else "", "dim")
    room = width - length(left) - len(end.text)
    words = next((text for text in _choices(row.right) if len(text) + GAP <= room), "")
    if room <= 0 or not words:
        return line(*fitted(left, width - len(end.text)), end) if sign or room < 0 else left
    return line(*left, Span(" " * (room - len(words))), Span(words, "dim"), end)


def _code(row: CodeRow, role: str, place: CodePlace | None) -> Line:
    """Return the code of a row in colours, with the part of an expression that stands in it lit."""
    spans = highlighted((row.code,))[0] if not role else line(Span(row.code, role))
    if place is None or place.span is None or not place.span[0] <= row.line <= place.span[1]:
        return spans
    number = row.line - place.first
    begin, end = lit_part(place, number)
    text = visible(place.lines[number])[begin:end]
    at = row.code.find(text)
    return spans if at < 0 or not text else lit(spans, at, at + len(text))


def _choices(words: Sequence[str]) -> Iterator[str]:
    """Yield the words in one text, then fewer and fewer of them."""
    yield from (", ".join(words[:count]) for count in range(len(words), 0, -1))
