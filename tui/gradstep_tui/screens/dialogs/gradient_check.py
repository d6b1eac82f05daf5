"""The gradient check: autograd against finite differences, over the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.gradient_check import check_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import GradientCheck
    from gradstep.ledger.ledger import Ledger


class CheckScreen(Dialog[None]):
    """The list of elements, and how the chosen one was checked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c,enter", "dismiss", "close", tooltip="Go back to the bench."),
        Binding("up,left,k", "walk(-1)", "before", tooltip="Choose the number before."),
        Binding("down,right,j", "walk(1)", "after", tooltip="Choose the number after."),
        Binding("pageup", "walk(-10)", "before", tooltip="Choose ten numbers before."),
        Binding("pagedown", "walk(10)", "after", tooltip="Choose ten numbers after."),
        Binding("home", "walk(-1000000)", "first", tooltip="Choose the first number."),
        Binding("end", "walk(1000000)", "last", tooltip="Choose the last number."),
        Binding("tab,space", "turn(1)", "parameter", tooltip="Go to the next parameter."),
        Binding("shift+tab,backspace", "turn(-1)", "back", tooltip="Go to the last parameter."),
        Binding("w", "worst", "worst", tooltip="Choose the largest error beside what is normal."),
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
            found: What came of it; of one element at least.
            ledger: What the `.grad`s are made of.
        """
        super().__init__()
        self._elements = _CheckPanel(found, ledger)

    def compose(self) -> ComposeResult:
        """Lay the view out."""
        with Vertical() as box:
            box.border_title = "check a gradient"
            box.border_subtitle = "arrows choose, Tab the next parameter, w the worst, Esc closes"
            yield self._elements

    def action_walk(self, steps: int) -> None:
        """Choose another element."""
        self._elements.walk(steps)

    def action_turn(self, steps: int) -> None:
        """Go to another parameter."""
        self._elements.turn(steps)

    def action_worst(self) -> None:
        """Go to the element whose error is largest beside what is normal."""
        self._elements.go_to_worst()


class _CheckPanel(Panel):
    """The check, and what is chosen in it."""

    DEFAULT_CSS = "_CheckPanel { height: 1fr; }"

    def __init__(self, found: GradientCheck, ledger: Ledger) -> None:
        super().__init__()
        self._found = found
        self._ledger = ledger
        self._at = 0
        names = [one.parameter for one in found.elements]
        self._starts = {name: names.index(name) for name in dict.fromkeys(names)}
        """Where each parameter's elements begin."""

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
