"""Two runs side by side, over the bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.comparison import Names
from gradstep_tui.widgets.comparison import comparison_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison


class ComparisonScreen(Dialog[None]):
    """A comparison; beside its twin, the session goes on in lock step with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,T,upper_t", "dismiss", "close", tooltip="Go back to the bench."),
        Binding("space", "step('next_line')", "next", tooltip="Run the session's next line."),
        Binding("e", "step('epoch')", "epoch", tooltip="Run an epoch of both."),
        Binding("left", "step('undo')", "undo", tooltip="Take the last action back."),
        Binding("right", "step('redo')", "redo", tooltip="Do it again."),
        Binding("Z,upper_z", "step('zeroing')", "zeroing", tooltip="Comment zeroing out, or in."),
    ]
    DEFAULT_CSS = """
    ComparisonScreen { align: center middle; }
    ComparisonScreen > Vertical {
        width: 100%; max-width: 130; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(
        self, found: Comparison, names: Names, title: str, press: Callable[[str], None] | None = None
    ) -> None:
        """Show a comparison.

        Args:
            found: What to show first.
            names: What the two sides are called.
            title: What is compared.
            press: Does what a key of the bench is for, by its id, and then has `show` called; None where
                the two stand still.
        """
        super().__init__()
        self._panel = _ComparisonPanel(found, names)
        self._title = title
        self._press = press

    def compose(self) -> ComposeResult:
        """Lay the view out."""
        with Vertical() as box:
            box.border_title = self._title
            steps = "" if self._press is None else "space line, e epoch, arrows undo and redo, Z zeroing, "
            box.border_subtitle = f"{steps}Esc closes"
            yield self._panel

    def show(self, found: Comparison, names: Names) -> None:
        """Show a newer comparison."""
        self._panel.show(found, names)

    def action_step(self, key_id: str) -> None:
        """Go on with the session, and its twin with it."""
        if self._press is not None:
            self._press(key_id)


class _ComparisonPanel(Panel):
    """The numbers and the plot."""

    DEFAULT_CSS = "_ComparisonPanel { height: 1fr; }"

    def __init__(self, found: Comparison, names: Names) -> None:
        super().__init__()
        self._found = found
        self._names = names

    def show(self, found: Comparison, names: Names) -> None:
        self._found, self._names = found, names
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        return comparison_lines(self._found, self._names, width, height)
