"""The dialog with a gradient check: autograd against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.gradient_check import check_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import GradientCheck
    from gradstep.ledger.ledger import Ledger


class CheckScreen(Dialog[None]):
    """A list of elements, and the arithmetic of checking the chosen element."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("check"),
        Binding("up,left,k", "walk(-1)", "before", tooltip="Choose the previous number."),
        Binding("down,right,j", "walk(1)", "after", tooltip="Choose the next number."),
        Binding("pageup", "walk(-10)", "before", tooltip="Go back ten numbers."),
        Binding("pagedown", "walk(10)", "after", tooltip="Go forward ten numbers."),
        Binding("home", "walk(-1000000)", "first", tooltip="Choose the first number."),
        Binding("end", "walk(1000000)", "last", tooltip="Choose the last number."),
        Binding("tab", "turn(1)", "parameter", tooltip="Go to the next parameter."),
        Binding("shift+tab", "turn(-1)", "back", tooltip="Go to the previous parameter."),
        Binding(
            "greater_than_sign",
            "worst",
            "worst",
            tooltip="Choose the number with the largest error relative to the normal error.",
        ),
    ]
    DEFAULT_CSS = """
    CheckScreen { align: center middle; }
    CheckScreen > Vertical {
        width: 100%; max-width: 110; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, found: GradientCheck, ledger: Ledger) -> None:
        """Show a check.

        Args:
            found: Result of the check, with at least one element.
            ledger: Record of all writes to each `.grad`.
        """
        super().__init__()
        self._elements = _CheckPanel(found, ledger)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "check a gradient"
            box.border_subtitle = "arrows: choose   Tab: next parameter   >: worst   Esc: close"
            yield self._elements

    def action_walk(self, steps: int) -> None:
        """Choose another element."""
        self._elements.walk(steps)

    def action_turn(self, steps: int) -> None:
        """Go to another parameter."""
        self._elements.turn(steps)

    def action_worst(self) -> None:
        """Go to the element whose error is largest relative to its normal error."""
        self._elements.go_to_worst()


class _CheckPanel(Panel):
    """The gradient check, with the chosen element."""

    DEFAULT_CSS = "_CheckPanel { height: 1fr; }"

    def __init__(self, found: GradientCheck, ledger: Ledger) -> None:
        super().__init__()
        self._found = found
        self._ledger = ledger
        self._at = 0
        names = [element.parameter for element in found.elements]
        self._starts = {name: names.index(name) for name in dict.fromkeys(names)}
        """Index of each parameter's first element, by the parameter's name."""

    def lines(self, width: int, height: int) -> list[Line]:
        return check_lines(self._found, self._ledger, self._at, width, height)

    def walk(self, steps: int) -> None:
        self._choose(min(max(self._at + steps, 0), len(self._found.elements) - 1))

    def turn(self, steps: int) -> None:
        names = list(self._starts)
        now = names.index(self._found.elements[self._at].parameter)
        self._choose(self._starts[names[(now + steps) % len(names)]])

    def go_to_worst(self) -> None:
        if self._found.largest is not None:
            self._choose(self._found.largest)

    def _choose(self, at: int) -> None:
        self._at = at
        self.redraw()
