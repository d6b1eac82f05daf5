"""One line that answers the last key, or says which one makes sense next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.frames import DOES, duration
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.training.progress import Progress

BAR = 12
"""Cells of the progress bar."""


class NoticeLine(Panel):
    """A notice, the progress of a run, or a hint."""

    notice: var[str] = var("")
    hint: var[str] = var("")
    progress: var[Progress | None] = var(None, always_update=True)

    def __init__(self, escape_does: str = "stops") -> None:
        """Say what Esc does to a run."""
        super().__init__()
        self._escape_does = escape_does

    def watch_hint(self) -> None:
        """Draw it."""
        self.redraw()

    def watch_notice(self) -> None:
        """Draw it."""
        self.redraw()

    def watch_progress(self) -> None:
        """Draw it."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the most urgent of the three."""
        if self.progress is not None:
            return [progress_line(self.progress, self._escape_does)]
        if self.notice:
            return [line(Span(" ! ", "warn"), self.notice)]
        if self.hint:
            return [line(f" {self.hint}")]
        return [] if self.frame is None else [hint_line(self.frame)]


def hint_line(frame: Frame) -> Line:
    """Name the key that makes sense next."""
    if frame.in_pass:
        return line(
            " next: ",
            Span("s", "key"),
            " one node on, or ",
            Span("space", "key"),
            " for the rest of the pass",
        )
    if frame.next is None:
        return line(
            " every line of the loop is commented out: arrows and ", Span("#", "key"), " bring one back"
        )
    return line(" next: ", Span("space", "key"), f" {DOES[frame.next]}")


def progress_line(progress: Progress, escape_does: str = "stops") -> Line:
    """Draw how far a run has come, how fast, and how long it will take."""
    done = progress.done
    filled = BAR * done // progress.count
    left = progress.seconds_left
    return line(
        Span(f" [{'#' * filled}{'.' * (BAR - filled)}]", "mark"),
        " comparing:" if progress.comparing else "",
        f" {done:,} of {progress.count:,} epochs, {progress.rate:,.0f}/s",
        "" if left is None else f", {duration(left)} left",
        "  ",
        Span("Esc", "key"),
        f" {escape_does}",
    )
