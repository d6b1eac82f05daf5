"""The line that answers the last key, shows a run's progress, or suggests the next key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.frames import duration
from gradstep_tui.text.statements import effect_text
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.training.progress import Progress

BAR = 12
"""Width of the progress bar, in cells."""


class NoticeLine(Panel):
    """The progress of a run, or else a notice, or else a hint."""

    notice: var[str] = var("")
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
        """Redraw the line."""
        self.redraw()

    def watch_busy(self) -> None:
        """Redraw the line."""
        self.redraw()

    def watch_progress(self) -> None:
        """Redraw the line."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the only line: the most urgent of progress, notice, running work and hint."""
        if self.progress is not None:
            return [progress_line(self.progress, self._escape_does)]
        if self.notice:
            return [line(Span(" ! ", "warn"), self.notice)]
        if self.busy:
            return [line(f" {self.busy}")]
        if self.hint:
            return [line(f" {self.hint}")]
        return [] if self.frame is None else [hint_line(self.frame)]


def hint_line(frame: Frame) -> Line:
    """Return the hint that names the key to press next."""
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
    return line(" next: ", Span(SIGNS["next_line"], "key"), f" {effect_text(frame.loop, frame.next)}")


def progress_line(progress: Progress, escape_does: str = "stops") -> Line:
    """Return the line with a run's progress: epochs done, speed, and time left."""
    done = progress.done
    filled = BAR * done // progress.count
    left = progress.seconds_left
    return line(
        Span(f" [{'#' * filled}{'.' * (BAR - filled)}]", "mark"),
        " comparing:" if progress.comparing else "",
        f" {done:,} of {progress.count:,} epochs, {progress.rate:,.0f}/s",
        "" if left is None else f", {duration(left)} left",
        "  ",
        Span(SIGNS["stop"], "key"),
        f" {escape_does}",
    )
