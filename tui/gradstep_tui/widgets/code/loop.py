"""The loop as Python code, with the next line marked, and a cursor for editing it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep.loop.loop import Loop
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.function_code import lit_part
from gradstep_tui.drawing.highlight import highlighted, lit
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.script_code import CURSOR, script_lines, script_title
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.code_view.code_places import CodePlace
    from gradstep.frame import Frame
    from gradstep.loop.loop import Statement, StatementKey

KEYS: Final = {"forward": "f", "backward": "b", "update": "u", "zero": "z"}
"""Key that runs each kind of statement."""

MARGIN: Final = 3
"""Columns before a statement's code: the marker, the key and the cursor."""


class LoopPanel(Panel):
    """The loop's statements: `>` marks the next, `#` those that are commented out, `|` the cursor."""

    cursor: var[StatementKey | None] = var(None)
    """Statement under the cursor; None if there is no cursor."""

    @property
    def lit(self) -> CodePlace | None:
        """Expression of the current node, if it stands in the loop; None if there is none."""
        return None

    def title_text(self) -> str:
        """Return the title, which names the keys for editing if there is a cursor."""
        if self.cursor is not None:
            return "loop: # comments, K J move"
        loop = None if self.frame is None else self.frame.loop
        if isinstance(loop, ScriptLoop):
            return script_title(loop)
        if loop is None or loop.split is None:
            return "loop"
        step = loop.next_step
        return f"loop: {loop.batches.way}, part {(step[1] if step else 0) + 1} of {loop.parts}"

    def watch_frame(self) -> None:
        """Draw the new frame; a loop with an inner loop over batches gets more room."""
        self.set_class(self.frame is not None and self.frame.loop.split is not None, "-split")
        self.set_class(self.frame is not None and isinstance(self.frame.loop, ScriptLoop), "-script")
        super().watch_frame()

    def watch_cursor(self) -> None:
        """Draw the cursor at its new place."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the loop's lines."""
        if self.frame is None:
            return []
        if isinstance(self.frame.loop, ScriptLoop):
            return self._script_lines(self.frame.loop, width, height)
        rows = loop_lines(self.frame, self.cursor, width, self.lit)
        head = 0 if self.frame.loop.split is None else len(self.frame.loop.split.order_lines)
        if len(rows) > height and self.frame.loop.inner.start == 0:
            rows = rows[head:]  # the lines that order the samples matter least
        return rows

    def _script_lines(self, loop: ScriptLoop, width: int, height: int) -> list[Line]:
        """Return the lines of a script's own loop; the last column is free, as a gap between columns."""
        following = None if self.frame is None else self.frame.next
        next_key, cursor = (key if isinstance(key, int) else None for key in (following, self.cursor))
        return script_lines(loop, next_key, cursor, width - 1, height, self.lit)


def loop_lines(
    frame: Frame,
    cursor: StatementKey | None = None,
    width: int | None = None,
    lit_place: CodePlace | None = None,
) -> list[Line]:
    """Return the lines of a frame's loop.

    Args:
        frame: The frame.
        cursor: Statement under the cursor; None if there is no cursor.
        width: Columns of the panel, in which a call that does not fit is broken; None to break nothing.
        lit_place: Expression of the loop that is lit; None if there is none.
    """
    rows, loop = list[Line](), frame.loop
    assert isinstance(loop, Loop)
    for place, statement in enumerate(loop.statements):
        if loop.split is not None and place == loop.inner.start:
            rows += [line(f"   {text}") for text in (*loop.split.order_lines, loop.split.head)]
        inner = place in loop.inner
        rows += _statement_lines(frame, statement, statement.kind == cursor, width, lit_place, inner=inner)
    return rows


def broken(text: str, room: int | None) -> tuple[str, ...]:
    """Return a line of Python as one line, or as two if it is a call that is longer than `room` columns."""
    call, bracket, arguments = text.partition("(")
    if room is None or len(text) <= room or arguments in ("", ")"):
        return (text,)
    indent = " " * (len(call) - len(call.lstrip()))
    return f"{call}{bracket}", f"{indent}    {arguments}"


def _statement_lines(
    frame: Frame,
    statement: Statement,
    under_cursor: bool,
    width: int | None,
    lit_place: CodePlace | None,
    *,
    inner: bool,
) -> list[Line]:
    inside = frame.in_pass and statement.kind == "backward"
    is_next = inside or (not frame.in_pass and frame.next == statement.kind)
    role = "key" if is_next else "" if statement.enabled else "dim"
    edge = CURSOR if under_cursor else " "
    rows = []
    before = 2 * inner + (0 if statement.enabled else 2)
    room = None if width is None else width - MARGIN - before
    for number, text in enumerate(chain.from_iterable(broken(text, room) for text in statement.lines)):
        marker = ">" if is_next and number == 0 else " "
        code = f"{'  ' * inner}{text if statement.enabled else f'# {text}'}"
        key = KEYS[statement.kind] if number == 0 else " "
        spans = line(Span(code, role)) if role else highlighted((code,))[0]
        spans = _lit(spans, text, lit_place)
        rows.append(line(Span(f"{marker}", role), Span(f"{key}{edge}", "key"), *spans))
    return rows


def _lit(spans: Line, text: str, place: CodePlace | None) -> Line:
    """Return the code of a line with an expression lit, if that stands in it."""
    if place is None or place.span is None:
        return spans
    number = place.span[0] - place.first
    if place.lines[number].strip() != text.strip():
        return spans
    begin, end = lit_part(place, number)
    at = sum(len(piece) for piece, _ in spans) - len(text.lstrip())
    return lit(spans, at + begin, at + end)
