"""The code panel: the loop, and the function whose expression made the current node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep.loop.loop import LOOP_FILE
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.function_code import function_lines, resting_lines, window_around
from gradstep_tui.drawing.lines import Line
from gradstep_tui.drawing.script_code import CURSOR, digits_of
from gradstep_tui.widgets.code.loop import LoopPanel, loop_lines
from gradstep_tui.widgets.code.whole_file import Marks, file_rows, focus_row, script_rows, whole_title

if TYPE_CHECKING:
    from gradstep.code_view.code_places import CodePlace
    from gradstep.frame import Frame

MANY: Final = 1_000
"""Height in which any loop fits."""

LEAST: Final = 3
"""Least number of lines of a function: the lit one, and one around it."""


class CodePanel(LoopPanel):
    """The loop as code, above it the functions that it calls, first that of the current node's expression."""

    looked: var[int | None] = var(None)
    """Event of the pass that is looked at again, counted from 0; None for the current one."""

    is_whole: var[bool] = var(False)
    """Whether the whole file is shown, as the pane is zoomed."""

    first: var[int | None] = var(None)
    """First row of the whole file that is shown, counted from 0; None for those around what is marked."""

    def watch_looked(self) -> None:
        """Light the expression of the event that is looked at."""
        self._follow()

    def watch_cursor(self) -> None:
        """Draw the cursor at its new place."""
        self._follow()

    def watch_frame(self) -> None:
        """Draw the new frame, from the rows that matter in it."""
        self.first = None
        super().watch_frame()

    def watch_is_whole(self) -> None:
        """Draw the whole file, or what is called and the loop."""
        self._follow()

    def watch_first(self) -> None:
        """Draw the rows from there on."""
        self.redraw()

    def _follow(self) -> None:
        self.first = None
        self.redraw()

    @property
    def shows_file(self) -> bool:
        """Whether the whole file is shown."""
        return self.is_whole and self.frame is not None and self.frame.script is not None

    def scroll_by(self, pages: int) -> None:
        """Show the rows of the whole file some pages further down."""
        height, rows = self.size.height - 1, self._file_rows(self.size.width)
        now = self._first_of(rows, height) if self.first is None else self.first
        self.first = min(max(now + pages * max(height - 1, 1), 0), max(len(rows) - height, 0))

    @property
    def lit(self) -> CodePlace | None:
        """Expression of the current node, if it stands in the loop; None if there is none."""
        place = current_place(self.frame, self.looked)
        return place if self.frame is not None and place and is_in_loop(self.frame, place) else None

    def title_text(self) -> str:
        """Return the title: the loop's, or the function's name and file."""
        place = place_in_view(self.frame, self.looked)
        if self.shows_file and self.cursor is None:
            assert self.frame is not None
            assert self.frame.script is not None
            is_cut = len(self._file_rows(self.size.width)) > self.size.height - 1
            return whole_title(self.frame.script.file, is_cut=is_cut)
        if place is None or self.cursor is not None:
            return super().title_text()
        within = f" in {place.function}" if place.function else ""
        return f"{Path(place.file).name}:{place.line}{within}, and {super().title_text()}"

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the functions that the loop calls, if they fit, then the loop around its next line."""
        if self.shows_file:
            rows = self._file_rows(width)
            first = self._first_of(rows, height) if self.first is None else self.first
            return rows[first : first + height]
        place = place_in_view(self.frame, self.looked)
        room = max(height - len(super().lines(width, MANY)), 0)
        above = self._functions(place, width - 1, room)
        return [*above, *self._loop_lines(width, height - len(above))]

    def _file_rows(self, width: int) -> list[Line]:
        """Return all rows of the whole file, the loop among them; the last column is free."""
        frame = self.frame
        if frame is None or frame.script is None:
            return []
        marks = Marks(frame.next, self.cursor, current_place(frame, self.looked))
        if isinstance(frame.loop, ScriptLoop):
            return script_rows(frame.script, frame.loop, marks, width - 1)
        loop = loop_lines(frame, self.cursor, width - 1 - len(str(len(frame.script.lines))), self.lit)
        return file_rows(frame.script, loop, marks, width - 1)

    def _first_of(self, rows: list[Line], height: int) -> int:
        """Return the first row that is shown, so that what is marked is seen, and the rows around it."""
        at = focus_row(rows)
        return window_around(at, at, len(rows), height)

    def _functions(self, place: CodePlace | None, width: int, room: int) -> list[Line]:
        """Return the function around the lit expression, and the others that the loop calls, if they fit."""
        called = () if self.frame is None else self.frame.functions
        digits = self._digits(place, width)
        shown = [] if place is None else [place.first]
        fit = 0 if place is None else min(len(place.lines), max(LEAST, room))
        lit = [] if place is None else function_lines(place, width, fit, digits)
        left, others = room - len(lit), []
        for function in called:
            if function.line not in shown and len(function.lines) <= left:
                others.append(function)
                left -= len(function.lines)
        before = [each for each in others if place is None or each.line < place.first]
        after = [each for each in others if each not in before]
        return [
            *(row for each in before for row in resting_lines(each, width, digits)),
            *lit,
            *(row for each in after for row in resting_lines(each, width, digits)),
        ]

    def _digits(self, place: CodePlace | None, width: int) -> int:
        """Return the width of the line numbers beside a script's loop and what it calls; 0 for none."""
        loop = None if self.frame is None else self.frame.loop
        own = digits_of(loop, width) if isinstance(loop, ScriptLoop) else 0
        if self.frame is None or not own:
            return 0
        ends = [each.line + len(each.lines) - 1 for each in self.frame.functions]
        ends += [] if place is None else [place.first + len(place.lines) - 1]
        return max(own, *(len(str(end)) for end in ends), 0)

    def _loop_lines(self, width: int, height: int) -> list[Line]:
        """Return the loop's lines that fit, with the marked one among them."""
        rows = super().lines(width, height)
        if len(rows) <= height:
            return rows
        marked = [number for number, row in enumerate(rows) if self._is_marked(row)] or [0]
        first = window_around(marked[0], marked[-1], len(rows), height)
        return rows[first : first + height]

    def _is_marked(self, row: Line) -> bool:
        """Return whether a row is under the cursor, or else the next to run if there is no cursor."""
        if self.cursor is None:
            return row[:1] != () and row[0].text.startswith(">")
        return any(CURSOR in text for text, _ in row[:3] if len(text) <= 2)


def current_place(frame: Frame | None, looked: int | None) -> CodePlace | None:
    """Return the place of a node's expression: of the one looked at, else of the current one in a pass.

    None if there is none, or the node has no expression.
    """
    backward = None if frame is None else frame.backward
    if backward is None or not backward.done:
        return None
    if looked is None:
        return None if backward.over else backward.places[backward.done - 1]
    return backward.places[looked]


def place_in_view(frame: Frame | None, looked: int | None) -> CodePlace | None:
    """Return that place if it does not stand in the loop itself, which is in view."""
    place = current_place(frame, looked)
    return None if frame is None or place is None or is_in_loop(frame, place) else place


def is_in_loop(frame: Frame, place: CodePlace) -> bool:
    """Return whether an expression stands in the loop that is drawn: a script's own, or the bench's."""
    loop = frame.loop
    if not isinstance(loop, ScriptLoop):
        return place.file.startswith(LOOP_FILE)
    if place.file != loop.file:
        return False
    return any(each.line <= place.line < each.line + len(each.lines) for each in loop.statements)
