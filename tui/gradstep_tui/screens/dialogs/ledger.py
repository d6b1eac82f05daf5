"""The dialog with the ledger of each `.grad`: every write to the chosen element."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from gradstep.tensors.element_index import place_of
from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.tensors.grids import Element
from gradstep_tui.widgets.ledger import ledger_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame


class LedgerScreen(Dialog[None]):
    """A dialog that shows, for each element of each `.grad`, every write to the element."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("ledger"),
        Binding("up", "move(-1, 0)", "row up", tooltip="Choose the element above."),
        Binding("down", "move(1, 0)", "row down", tooltip="Choose the element below."),
        Binding("left", "move(0, -1)", "column left", tooltip="Choose the element to the left."),
        Binding("right", "move(0, 1)", "column right", tooltip="Choose the element to the right."),
        Binding("tab", "turn(1)", "parameter", tooltip="Go to the next parameter."),
        Binding("shift+tab", "turn(-1)", "back", tooltip="Go to the previous parameter."),
        Binding("pageup", "scroll_lines(5)", "older", tooltip="Show older lines."),
        Binding("pagedown", "scroll_lines(-5)", "newer", tooltip="Show newer lines."),
    ]
    DEFAULT_CSS = """
    LedgerScreen { align: center middle; }
    LedgerScreen > Vertical {
        width: 96%; height: 96%; border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(
        self, frame: Frame, parameter: str = "", index: tuple[int, ...] = (), said: str = ""
    ) -> None:
        """Show `frame`'s ledger.

        Args:
            frame: The frame.
            parameter: Parameter that is shown first; empty for the first one.
            index: Element that is chosen first; empty for the first one.
            said: Sentence that stands above the ledger; empty for none.
        """
        super().__init__()
        self._said = said
        self._pages = _LedgerPanel(frame)
        self._pages.begin_at(parameter, index)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "ledger"
            box.border_subtitle = "arrows: choose a number   Tab: next parameter   Esc: close"
            if self._said:
                yield Static(self._said, markup=False)
            yield self._pages

    def choose_number(self, rows: int, columns: int) -> None:
        """Choose the number some rows and columns away."""
        self._pages.move(rows, columns)

    def action_move(self, rows: int, columns: int) -> None:
        """Choose another element."""
        self._pages.move(rows, columns)

    def action_turn(self, steps: int) -> None:
        """Go to another parameter."""
        self._pages.turn(steps)

    def action_scroll_lines(self, steps: int) -> None:
        """Scroll by `steps` lines: to older lines if positive, to newer lines if negative."""
        self._pages.scroll_back(steps)


class _LedgerPanel(Panel):
    """One parameter's ledger."""

    DEFAULT_CSS = "_LedgerPanel { height: 1fr; }"

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._shown = frame
        self._parameter = 0
        self._at = Element()
        self._back = 0

    def lines(self, width: int, height: int) -> list[Line]:
        parameter = self._shown.parameters[self._parameter]
        return ledger_lines(
            parameter, self._shown.ledger, self._at, self._back, width, height, unit_of(self._shown.loop)
        )

    def begin_at(self, parameter: str, index: tuple[int, ...]) -> None:
        for place, each in enumerate(self._shown.parameters):
            shape = tuple(each.value.shape)
            if each.name == parameter and len(index) == len(shape):
                self._parameter = place
                row, column = divmod(place_of(shape, index), shape[-1] if shape else 1)
                self._at = Element(row, column)

    def move(self, rows: int, columns: int) -> None:
        self._at = self._at.moved(rows, columns, self._shown.parameters[self._parameter].value)
        self.redraw()

    def turn(self, steps: int) -> None:
        self._parameter = (self._parameter + steps) % len(self._shown.parameters)
        self._at, self._back = Element(), 0
        self.redraw()

    def scroll_back(self, steps: int) -> None:
        self._back = max(self._back + steps, 0)
        self.redraw()
