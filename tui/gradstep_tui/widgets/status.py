"""The status line at the top: problem, optimizer, learning rate, zeroing, epochs and phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.text.frames import phase
from gradstep_tui.text.settings import optimizer_title
from gradstep_tui.text.statements import optimizer_names, round_text, zeroes
from gradstep_tui.text.tensors.numbers import rate
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame


class StatusLine(Panel):
    """The line with problem, optimizer, rate and zeroing at the left, epochs and phase at the right."""

    unsaved: var[bool] = var(False)
    """Whether saving the session has failed."""

    badge: var[str] = var("")
    """Further warning on the line; empty for none."""

    def __init__(self, waits_for: str = "PyTorch is starting") -> None:
        """Show `waits_for` until the first frame."""
        super().__init__()
        self._waits_for = waits_for

    def watch_badge(self) -> None:
        """Redraw the status line, because its badge has changed."""
        self.redraw()

    def watch_unsaved(self) -> None:
        """Redraw the status line, because the session can no longer be saved, or can be again."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the only line."""
        if self.frame is None:
            return [line(Span(" gradstep", "title"), Span(f"  {self._waits_for}", "dim"))]
        return [status_line(self.frame, width, unsaved=self.unsaved, badge=self.badge)]


def status_line(frame: Frame, width: int, *, unsaved: bool = False, badge: str = "") -> Line:
    """Return the status line of a frame.

    If the line is too long, parts that are also shown elsewhere are left out, one after another; without a
    badge, only the optimizer's options are.

    Args:
        frame: The frame.
        width: Width of the line, in cells.
        unsaved: Whether to warn that the session is not saved.
        badge: Further warning; empty for none.
    """
    badge = f"{badge}{'  UNSAVED' * unsaved}".strip()
    lines = [_status(frame, without, width, badge) for without in range(6 if badge else 2)]
    return next((candidate for candidate in lines if length(candidate) <= width), lines[-1])


def _status(frame: Frame, without: int, width: int, badge: str) -> Line:
    """Return the line without the first `without` of: options, optimizer, "done", rate, zeroing."""
    optimizer = _optimizer(frame, without)
    rates = f"lr {_short_rate(frame.learning_rate)}" if without < 4 and _has_rate(frame) else ""
    left = [
        Span(f" {frame.problem}", "title"),
        Span(f"  {', '.join(filter(None, [optimizer if without < 2 else '', rates]))}".rstrip() + "  "),
        _zeroing(frame, without),
        Span(f"  {badge}" if badge else "", "warn"),
    ]
    epochs = _epochs(frame, without)
    right = [Span(epochs), Span(f"  {phase(frame)} ", "title")]
    gap = max(width - length(left) - length(right), 1)
    return line(*left, Span(" " * gap), *right)


def _optimizer(frame: Frame, without: int) -> str:
    if isinstance(frame.loop, ScriptLoop):
        return optimizer_names(frame.loop)
    chosen = frame.loop.optimizer
    return optimizer_title(chosen) if chosen.by_hand or not without else f"{chosen.name}(...)"


def _has_rate(frame: Frame) -> bool:
    """Return whether the learning rate is known: a script that updates by hand keeps its own to itself."""
    return not isinstance(frame.loop, ScriptLoop) or bool(frame.loop.optimizer_names)


def _epochs(frame: Frame, without: int) -> str:
    if isinstance(frame.loop, ScriptLoop):
        return round_text(frame.loop)
    return f"epochs {'done ' if without < 3 else ''}{frame.epoch:,}"


def _zeroing(frame: Frame, without: int) -> Span:
    on = zeroes(frame.loop)
    return Span("zeroing OFF", "warn") if on is False else Span("zeroing on" if on and without < 5 else "")


def _short_rate(value: float) -> str:
    whole = rate(value)
    return whole if len(whole) <= 8 else f"~{value:.2g}"
