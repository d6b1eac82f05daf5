"""The dialog that compares two runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.comparison import Names
from gradstep_tui.widgets.comparison import comparison_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison

STEPS: Final = "{next_line}: line   {epoch}: epoch   {undo} {redo}: undo, redo   {zeroing}: zeroing   "
"""Keys of the bench that step both runs, in the bottom line."""


class ComparisonScreen(Dialog[None]):
    """A comparison of two runs; with the session's twin, both can be stepped together."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("twin"),
        like("next_line", "step('next_line')", "Run the session's next line."),
        like("epoch", "step('epoch')", "Run one epoch in both runs."),
        like("undo", "step('undo')", "Undo the last action."),
        like("redo", "step('redo')", "Redo the action."),
        like("zeroing", "step('zeroing')", "Turn gradient zeroing off or on."),
    ]
    DEFAULT_CSS = """
    ComparisonScreen { align: center middle; }
    ComparisonScreen > Vertical {
        width: 100%; max-width: 160; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(
        self, found: Comparison, names: Names, title: str, press: Callable[[str], None] | None = None
    ) -> None:
        """Show a comparison.

        Args:
            found: The comparison.
            names: Names of the two runs.
            title: Title of the dialog.
            press: Presses a key of the bench, given its id, and calls `show` afterwards; None if the runs
                cannot be stepped.
        """
        super().__init__()
        self._panel = _ComparisonPanel(found, names)
        self._title = title
        self._press = press

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = self._title
            steps = "" if self._press is None else STEPS.format(**SIGNS)
            box.border_subtitle = f"{steps}Esc: close"
            yield self._panel

    def show(self, found: Comparison, names: Names) -> None:
        """Show a newer comparison."""
        self._panel.show(found, names)

    def action_step(self, key_id: str) -> None:
        """Step the session, and its twin with it."""
        if self._press is not None:
            self._press(key_id)


class _ComparisonPanel(Panel):
    """The numbers and the plot of a comparison."""

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
