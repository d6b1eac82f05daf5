"""The top line: what is trained, how, and how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from tui.lines import Line, Span, length, line
from tui.numbers import rate
from tui.widgets.panel import Panel
from tui.words import phase

if TYPE_CHECKING:
    from engine.frame import Frame


class StatusLine(Panel):
    """Problem, learning rate, zeroing; epoch and phase."""

    unsaved: var[bool] = var(False)
    """Whether the session could not be saved."""

    def watch_unsaved(self) -> None:
        """Draw it."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the one line."""
        if self.frame is None:
            return [line(Span(" gradstep", "title"), Span("  PyTorch is starting", "dim"))]
        return [status_line(self.frame, width, unsaved=self.unsaved)]


def status_line(frame: Frame, width: int, *, unsaved: bool = False) -> Line:
    """Draw a frame's status, with a warning where the session is not saved.

    An optimizer's options are there only where there is room.
    """
    chosen = frame.loop.optimizer
    whole = _status(frame, chosen.title, width, unsaved)
    if chosen.by_hand or length(whole) <= width:
        return whole
    return _status(frame, f"{chosen.name}(...)", width, unsaved)


def _status(frame: Frame, optimizer: str, width: int, unsaved: bool) -> Line:
    on = "zero" in [kind.value for kind in frame.loop.enabled]
    left = [
        Span(f" {frame.problem}", "title"),
        Span(f"  {optimizer}, lr {_short_rate(frame.learning_rate)}  "),
        Span("zeroing on" if on else "zeroing OFF", "" if on else "warn"),
        Span("  UNSAVED" if unsaved else "", "warn"),
    ]
    right = [Span(f"epochs done {frame.epoch:,}"), Span(f"  {phase(frame)} ", "title")]
    gap = max(width - length(left) - length(right), 1)
    return line(*left, Span(" " * gap), *right)


def _short_rate(value: float) -> str:
    whole = rate(value)
    return whole if len(whole) <= 8 else f"~{value:.2g}"
