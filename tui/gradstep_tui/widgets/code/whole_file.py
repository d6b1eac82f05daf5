"""The whole file of a loop: imports, data, model and loop, with what runs next marked in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.function_code import lit_part, number_text
from gradstep_tui.drawing.highlight import highlighted, lit
from gradstep_tui.drawing.lines import Line, Span, fitted, length, line
from gradstep_tui.drawing.script_code import CURSOR
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.statements import KEY_IDS, role_texts, visible

if TYPE_CHECKING:
    from gradstep.code_view.code_places import CodePlace
    from gradstep.code_view.script_text import ScriptText
    from gradstep.loop.loop import StatementKey
    from gradstep.loop.script_loop import ScriptStatement

LOOP: Final = "# the training loop"
"""Comment above the loop of a file that has none of its own."""

GAP: Final = 2
"""Smallest number of cells between code and the words at the end of its row."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked in the file."""

    next: StatementKey | None
    """Statement that runs next; None if none does."""

    cursor: StatementKey | None
    """Statement under the cursor; None if there is no cursor."""

    place: CodePlace | None
    """Expression that is lit; None if there is none."""


def whole_title(file: str, *, is_cut: bool) -> str:
    """Return the title of the pane: the file's name, and the keys that scroll if not all of it is shown."""
    scroll = f": {SIGNS['scroll_up']} and {SIGNS['scroll_down']} scroll" if is_cut else ""
    return f"{Path(file).name}{scroll}"


def script_rows(script: ScriptText, loop: ScriptLoop, marks: Marks, width: int) -> list[Line]:
    """Return the lines of a script with its own loop, the statements in the order in which they run."""
    digits, code = len(str(len(script.lines))), _code(script)
    rows = list[Line]()
    for number, statement in _in_order(script, loop):
        spans = code[number - 1]
        if statement is None:
            rows.append(_row(script, number, spans, marks, digits))
            continue
        is_first = number == statement.line
        is_next = statement.key == marks.next
        role = "" if statement.enabled else "dim"
        if not statement.enabled:
            text = visible(script.lines[number - 1])
            indent = len(text) - len(text.lstrip())
            spans = line(Span(f"{text[:indent]}# {text[indent:]}", "dim"))
        sign = SIGNS.get(KEY_IDS.get(statement.role, ""), "") if is_first else ""
        edge = CURSOR if statement.key == marks.cursor else " "
        row = line(
            Span(">" if is_next and is_first else " ", role or "key"),
            Span(number_text(number, digits), "dim"),
            Span(f"{sign if len(sign) == 1 else ' '}{edge}", "key"),
            *_with_light(script, number, spans, marks.place),
        )
        words = ", ".join(role_texts(statement)) if is_first else ""
        room = width - length(row) - len(words)
        rows.append(line(*row, " " * room, Span(words, "dim")) if words and room >= GAP else row)
    return [fitted(row, width) if length(row) > width else row for row in rows]


def file_rows(script: ScriptText, loop: list[Line], marks: Marks, width: int) -> list[Line]:
    """Return the lines of a file without a loop of its own, and then a loop's lines below them."""
    digits, code = len(str(len(script.lines))), _code(script)
    rows = [_row(script, number, spans, marks, digits) for number, spans in enumerate(code, 1)]
    blank = " " * len(number_text(0, digits))
    rows += [line(), line(f" {blank}  ", Span(LOOP, "comment"))]
    for marker, *rest in loop:
        rows.append(
            line(Span(marker.text[:1], marker.role), blank, Span(marker.text[1:], marker.role), *rest)
        )
    return [fitted(row, width) if length(row) > width else row for row in rows]


def focus_row(rows: list[Line]) -> int:
    """Return the row to be seen: that under the cursor, or else the lit one, or else the next to run."""
    marks = (_is_under_cursor, _is_lit, _is_next)
    found = (number for is_marked in marks for number, row in enumerate(rows) if is_marked(row))
    return next(found, 0)


def _is_under_cursor(row: Line) -> bool:
    return any(CURSOR in text for text, role in row[:4] if role == "key" and len(text) <= len("f|"))


def _is_lit(row: Line) -> bool:
    return any(role == "lit" for _, role in row)


def _is_next(row: Line) -> bool:
    return row[:1] != () and row[0].text.startswith(">")


def _code(script: ScriptText) -> tuple[Line, ...]:
    return highlighted(tuple(visible(text) for text in script.lines))


def _row(script: ScriptText, number: int, spans: Line, marks: Marks, digits: int) -> Line:
    place = marks.place
    ran = place is not None and place.file == script.file and place.line == number
    return line(
        Span(">" if ran else " ", "key"),
        Span(number_text(number, digits), "dim"),
        "  ",
        *_with_light(script, number, spans, place),
    )


def _with_light(script: ScriptText, number: int, spans: Line, place: CodePlace | None) -> Line:
    """Return the code of a line with the part of an expression lit that stands in it."""
    if place is None or place.span is None or place.file != script.file:
        return spans
    if not place.span[0] <= number <= place.span[1]:
        return spans
    begin, end = lit_part(place, number - place.first)
    indent = len(visible(script.lines[number - 1])) - len(visible(place.lines[number - place.first]))
    return lit(spans, begin + indent, end + indent)


def _in_order(script: ScriptText, loop: ScriptLoop) -> Iterator[tuple[int, ScriptStatement | None]]:
    """Yield each line's number with its statement of the loop, moved statements where they run now."""
    count = len(script.lines)
    ranges = {each.key: range(each.line, each.line + len(each.lines)) for each in loop.statements}
    own = sorted(loop.statements, key=lambda each: each.line)
    if not own:
        yield from ((number, None) for number in range(1, count + 1))
        return
    place = 1
    for was, now in zip(own, loop.statements, strict=True):
        yield from ((number, None) for number in range(place, min(was.line, count + 1)))
        yield from ((number, now) for number in ranges[now.key] if number <= count)
        place = ranges[was.key].stop
    yield from ((number, None) for number in range(place, count + 1))
