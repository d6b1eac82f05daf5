"""One line that answers the last key, or says which one makes sense next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from tui.lines import Line, Span, line
from tui.numbers import cell
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from engine.frame import Frame
    from engine.progress import Progress
    from engine.verdict import Verdict

BAR = 12
"""Cells of the progress bar."""


class NoticeLine(Panel):
    """A notice, the progress of a run, or a hint."""

    notice: var[str] = var("")
    progress: var[Progress | None] = var(None, always_update=True)

    def watch_notice(self) -> None:
        """Draw it."""
        self.redraw()

    def watch_progress(self) -> None:
        """Draw it."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the most urgent of the three."""
        if self.progress is not None:
            return [progress_line(self.progress)]
        if self.notice:
            return [line(Span(" ! ", "warn"), self.notice)]
        return [] if self.frame is None else [hint_line(self.frame)]


def verdict_text(verdict: Verdict) -> str:
    """Say what an edited loop does, and where it first differs from the reference loop."""
    found = verdict.difference
    if verdict.error is not None:
        return f"the loop {verdict.finding}: {verdict.error.kind} in epoch {verdict.epoch}"
    if found is None:
        return f"the loop {verdict.finding}: {verdict.epochs} epochs give the reference loop's numbers"
    name = f"{found.parameter}{list(found.index) or ''}"
    mine, other = cell(found.value), cell(found.reference)
    if mine == other:
        mine, other = f"{found.value:.9g}", f"{found.reference:.9g}"
    return f"the loop {verdict.finding}: in epoch {found.epoch} {name} is {mine}, reference {other}"


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
    texts = {
        "forward": "computes the predictions and the loss",
        "backward": "runs loss.backward(); s goes through it node by node",
        "update": "moves the parameters against their gradients",
        "zero": "sets the gradients back to zero",
    }
    return line(" next: ", Span("space", "key"), f" {texts[frame.next]}")


def progress_line(progress: Progress) -> Line:
    """Draw how far a run has come, how fast, and how long it will take."""
    done = progress.done
    filled = BAR * done // progress.count
    left = progress.seconds_left
    return line(
        Span(f" [{'#' * filled}{'.' * (BAR - filled)}]", "mark"),
        f" {done:,} of {progress.count:,} epochs, {progress.rate:,.0f}/s",
        "" if left is None else f", {duration(left)} left",
        "  ",
        Span("Esc", "key"),
        " stops",
    )


def duration(seconds: float) -> str:
    """Write a time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"
