"""The dialog to choose a way to split the samples, each compared with the full batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep.loop.batches import Batches
from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line, wrapped
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.batch_check import choices
from gradstep_tui.widgets.batch_check import batches_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck


class BatchesScreen(Dialog[Batches | None]):
    """A list of the ways for one batch size; the result is the chosen way, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "close", tooltip="Go back to the bench without a change."),
        like("batches", "leave", "Go back to the bench without a change."),
        Binding("enter", "take", "take", tooltip="Split the samples this way."),
        Binding("up,k", "walk(-1)", "before", tooltip="Choose the way above."),
        Binding("down,j", "walk(1)", "after", tooltip="Choose the way below."),
        Binding("minus", "resize(-1)", "smaller", tooltip="Make the batches smaller."),
        Binding("plus", "resize(1)", "larger", tooltip="Make the batches larger."),
    ]
    DEFAULT_CSS = """
    BatchesScreen { align: center middle; }
    BatchesScreen > Vertical {
        width: 100%; max-width: 90; height: 100%; max-height: 20;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, now: Batches, size: int, samples: int, compute: Callable[[int], None]) -> None:
        """Show the ways for a batch size, once they have been checked.

        Args:
            now: Way that the session splits the samples.
            size: First batch size, in samples.
            samples: Number of samples.
            compute: Runs a check in a thread, given a batch size, and calls `show` with the result.
        """
        super().__init__()
        self.wanted = size
        """Batch size that the learner asked for, in samples."""

        self._samples = samples
        self._compute = compute
        self._ways = _BatchesPanel(now)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "batches"
            box.border_subtitle = "↑ ↓: choose   - +: batch size   Enter: OK   Esc: cancel"
            yield self._ways

    def on_mount(self) -> None:
        """Start the first check."""
        self._compute(self.wanted)

    def show(self, found: BatchCheck) -> None:
        """Show the result of a check."""
        self._ways.show(found)

    def action_walk(self, steps: int) -> None:
        """Choose another way."""
        self._ways.walk(steps)

    def action_resize(self, steps: int) -> None:
        """Make the batches larger or smaller."""
        size = min(max(self.wanted + steps, 1), self._samples)
        if size != self.wanted:
            self.wanted = size
            self._compute(size)

    def action_take(self) -> None:
        """Close with the chosen way."""
        if self._ways.chosen is not None:
            self.dismiss(self._ways.chosen)

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)


class _BatchesPanel(Panel):
    """The list of ways, with a cursor."""

    DEFAULT_CSS = "_BatchesPanel { height: 1fr; }"

    def __init__(self, now: Batches) -> None:
        super().__init__()
        self._now = now
        self._found: BatchCheck | None = None
        self._at: int | None = None

    @property
    def chosen(self) -> Batches | None:
        """The way under the cursor; None before the first check."""
        if self._found is None or self._at is None:
            return None
        return choices(self._found)[self._at]

    def show(self, found: BatchCheck) -> None:
        self._found = found
        if self._at is None:
            self._at = next((place for place, way in enumerate(choices(found)) if way == self._now), 1)
        self.redraw()

    def walk(self, steps: int) -> None:
        if self._found is not None and self._at is not None:
            self._at = (self._at + steps) % len(choices(self._found))
            self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        if self._found is None or self._at is None:
            return wrapped("Comparing ways to split the samples; Esc stops.", width, "dim")
        now = next((place for place, way in enumerate(choices(self._found)) if way == self._now), None)
        return batches_lines(self._found, self._at, now, width)
