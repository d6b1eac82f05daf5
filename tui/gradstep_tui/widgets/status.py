"""The top line: what is trained, how, and how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.text.frames import phase
from gradstep_tui.text.numbers import rate
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame


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

    Where there is no room for all, what is shown elsewhere goes first; without a badge, no more than an
    optimizer's options.
    """
    badge = f"{badge}{'  UNSAVED' * unsaved}".strip()
    lines = [_status(frame, without, width, badge) for without in range(6 if badge else 2)]
    return next((one for one in lines if length(one) <= width), lines[-1])


def _status(frame: Frame, without: int, width: int, badge: str) -> Line:
    """Draw it without so many things: an optimizer's options, the optimizer, a word, the rate, zeroing."""
    chosen, on = frame.loop.optimizer, "zero" in [kind.value for kind in frame.loop.enabled]
    optimizer = chosen.title if chosen.by_hand or not without else f"{chosen.name}(...)"
    rates = f"lr {_short_rate(frame.learning_rate)}" if without < 4 else ""
    left = [
        Span(f" {frame.problem}", "title"),
        Span(f"  {f'{optimizer}, ' if without < 2 else ''}{rates}  " if rates else "  "),
        Span("zeroing on" if without < 5 else "") if on else Span("zeroing OFF", "warn"),
        Span(f"  {badge}" if badge else "", "warn"),
    ]
    epochs = f"epochs {'done ' if without < 3 else ''}{frame.epoch:,}"
    right = [Span(epochs), Span(f"  {phase(frame)} ", "title")]
    gap = max(width - length(left) - length(right), 1)
    return line(*left, Span(" " * gap), *right)


def _short_rate(value: float) -> str:
    whole = rate(value)
    return whole if len(whole) <= 8 else f"~{value:.2g}"
