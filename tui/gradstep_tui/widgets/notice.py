"""The line that answers the last key, shows a run's progress, or suggests the next key."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING, Final

from textual.css.scalar import Scalar
from textual.reactive import var

from gradstep.actions import MOST_EPOCHS
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.drawing.remark_lines import remark_lines, remark_rows
from gradstep_tui.keys import BY_ID, SIGNS
from gradstep_tui.text.frames import duration
from gradstep_tui.text.remarks import NOTHING, Remark
from gradstep_tui.text.statements import DOES, EPOCH, ROUND, counted, effect_text, quoted, unit_of
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual import events

    from gradstep.frame import Frame
    from gradstep.loop.script_loop import ScriptStatement
    from gradstep.training.progress import Progress

OVER: Final = (
    " the script's loop is over: {undo} undoes, {timeline} goes back to any point, {reset} begins again"
)
"""Hint for a script's loop that is over."""

ALSO: Final = ("problems", "optimizer", "type_rate", "pictures", "timeline", "twin", "export", "ledger")
"""Ids of keys that a newcomer would not guess, which stand beside the hint in turn."""

GAP: Final = 3
"""Cells before each of them."""

MOST_ROWS: Final = 2
"""Largest number of rows of a notice."""

MORE: Final = "{look} shows all"
"""End of a notice that is longer than its rows; the name in braces is the id of a key."""

BAR = 12
"""Width of the progress bar, in cells."""


class NoticeLine(Panel):
    """The progress of a run, or else a notice, or else a hint."""

    notice: var[Remark] = var(NOTHING)
    hint: var[str] = var("")
    busy: var[str] = var("")
    progress: var[Progress | None] = var(None, always_update=True)

    def __init__(self, escape_does: str = "stops") -> None:
        """Make a line that says of Esc, during a run, that it `escape_does`."""
        super().__init__()
        self._escape_does = escape_does

    def watch_hint(self) -> None:
        """Redraw the line."""
        self.redraw()

    def watch_notice(self) -> None:
        """Redraw the line, with as many rows as the notice needs."""
        self._fit()
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the number of rows for the new width. Textual calls the base class's handler as well."""
        self._fit()

    def _fit(self) -> None:
        rows = min(max(remark_rows(self.notice, self.size.width), 1), MOST_ROWS) if self.size.width else 1
        if self.styles.height != Scalar.from_number(rows):
            self.styles.height = rows

    def watch_busy(self) -> None:
        """Redraw the line."""
        self.redraw()

    def watch_progress(self) -> None:
        """Redraw the line."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the most urgent of progress, notice, running work and hint; a notice may take more rows."""
        if self.progress is not None:
            unit = EPOCH if self.frame is None else unit_of(self.frame.loop)
            return [progress_line(self.progress, self._escape_does, unit)]
        if self.notice:
            return remark_lines(self.notice, width, min(max(height, 1), MOST_ROWS), MORE.format(**SIGNS))
        if self.busy:
            return [line(f" {self.busy}")]
        if self.hint:
            return [line(f" {self.hint}")]
        return [] if self.frame is None else [hint_line(self.frame, width)]


def is_whole(notice: Remark, width: int) -> bool:
    """Return whether a notice fits into its rows of `width` cells."""
    return remark_rows(notice, width) <= MOST_ROWS


def hint_line(frame: Frame, width: int = 80) -> Line:
    """Return the hint that names the key to press next, in at most `width` cells if it quotes a script."""
    if isinstance(frame.loop, ScriptLoop) and frame.loop.over and not frame.in_pass:
        return line(*_keyed(OVER))
    if frame.in_pass:
        return line(
            " next: ",
            Span(SIGNS["step_node"], "key"),
            " runs one node, ",
            Span(SIGNS["next_line"], "key"),
            " runs the rest of the pass",
        )
    if frame.next is None:
        return line(
            " every line of the loop is commented out: arrows and ",
            Span(SIGNS["comment"], "key"),
            " bring one back",
        )
    if isinstance(frame.loop, ScriptLoop) and isinstance(frame.next, int):
        return _statement_hint(frame.loop.statement(frame.next), width)
    told = line(" next: ", Span(SIGNS["next_line"], "key"), f" {DOES[str(frame.next)].format(**SIGNS)}")
    return line(*told, *also(frame, width - length(told)))


def also(frame: Frame, room: int) -> Iterator[Span]:
    """Yield keys that the key bar may have no room for, as many as fit; others after each epoch."""
    start = frame.epoch * 2 % len(ALSO)
    for key_id in (*ALSO[start:], *ALSO[:start]):
        label = BY_ID[key_id].label
        wide = GAP + len(SIGNS[key_id]) + 1 + len(label)
        if wide >= room:
            return
        yield from (Span(" " * GAP), Span(SIGNS[key_id], "key"), Span(f" {label}", "dim"))
        room -= wide


def _statement_hint(statement: ScriptStatement, width: int) -> Line:
    """Return the hint that names a statement of a script and, if there is room, says what it does."""
    key, place = SIGNS["next_line"], f"line {statement.line}, "
    effect = effect_text(statement)
    room = width - len(f" next: {key} runs {place}")
    whole = len(quoted(statement, room) + effect) + 2 <= room or statement.role is Role.BACKWARD
    end = f": {effect}" if effect and whole else ""
    code = quoted(statement, room - len(end))
    return line(" next: ", Span(key, "key"), f" runs {place}{code}{end}")


def _keyed(text: str) -> Iterator[Span]:
    """Yield a text in which each id of a key in braces is replaced with the key's sign."""
    for literal, key_id, _, _ in Formatter().parse(text):
        yield Span(literal)
        if key_id:
            yield Span(SIGNS[key_id], "key")


def progress_line(progress: Progress, escape_does: str = "stops", unit: str = EPOCH) -> Line:
    """Return the line with a run's progress: epochs or rounds done, speed, and time left."""
    done = progress.done
    if unit == ROUND and progress.count >= MOST_EPOCHS:  # an epoch of the loop around has as many as it has
        speed = f" {counted(done, unit)}, {progress.rate:,.0f}/s  "
        return line(speed, Span(SIGNS["stop"], "key"), f" {escape_does}")
    filled = BAR * done // progress.count
    left = progress.seconds_left
    return line(
        Span(f" [{'#' * filled}{'.' * (BAR - filled)}]", "mark"),
        " comparing:" if progress.comparing else "",
        f" {done:,} of {progress.count:,} {unit}s, {progress.rate:,.0f}/s",
        "" if left is None else f", {duration(left)} left",
        "  ",
        Span(SIGNS["stop"], "key"),
        f" {escape_does}",
    )
