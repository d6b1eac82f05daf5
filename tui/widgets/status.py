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

    badge: var[str] = var("")
    """What else is to be seen at once; empty for nothing."""

    def __init__(self, waits_for: str = "PyTorch is starting") -> None:
        """Say what there is to wait for at first."""
        super().__init__()
        self._waits_for = waits_for

    def watch_badge(self) -> None:
        """Draw it."""
        self.redraw()

    def watch_unsaved(self) -> None:
        """Draw it."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the one line."""
        if self.frame is None:
            return [line(Span(" gradstep", "title"), Span(f"  {self._waits_for}", "dim"))]
        return [status_line(self.frame, width, unsaved=self.unsaved, badge=self.badge)]


def status_line(frame: Frame, width: int, *, unsaved: bool = False, badge: str = "") -> Line:
    """Draw a frame's status, with a warning where the session is not saved, and with a badge.

    An optimizer's options are there only where there is room; beside a badge, so is the optimizer.
    """
    chosen = frame.loop.optimizer
    badge = f"{badge}{'  UNSAVED' * unsaved}"
    short = chosen.title if chosen.by_hand else f"{chosen.name}(...)"
    forms = [(f"{chosen.title}, ", " done"), (f"{short}, ", " done")]
    if badge:
        forms += [("", " done"), ("", "")]
    lines = [_status(frame, *form, width, badge) for form in forms]
    return next((one for one in lines if length(one) <= width), lines[-1])


def _status(frame: Frame, optimizer: str, done: str, width: int, badge: str) -> Line:
    on = "zero" in [kind.value for kind in frame.loop.enabled]
    left = [
        Span(f" {frame.problem}", "title"),
        Span(f"  {optimizer}lr {_short_rate(frame.learning_rate)}  "),
        Span("zeroing on" if on else "zeroing OFF", "" if on else "warn"),
        Span(f"  {badge.strip()}" if badge else "", "warn"),
    ]
    right = [Span(f"epochs{done} {frame.epoch:,}"), Span(f"  {phase(frame)} ", "title")]
    gap = max(width - length(left) - length(right), 1)
    return line(*left, Span(" " * gap), *right)


def _short_rate(value: float) -> str:
    whole = rate(value)
    return whole if len(whole) <= 8 else f"~{value:.2g}"
