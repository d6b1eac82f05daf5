"""The dialog with all samples: inputs, targets, predictions and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.lessons.data import count_of, data_lines, data_title, samples_of
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame


HEADS: Final = 3
"""Lines besides the rows, at the most: the head, the columns' names, and what is to be said below them."""


class DataScreen(Dialog[None]):
    """A dialog that shows the samples of the last forward pass, a row for each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("data"),
        Binding("up,k", "move(-1)", "up", tooltip="Scroll up by a row."),
        Binding("down,j", "move(1)", "down", tooltip="Scroll down by a row."),
        Binding("pageup", "move(-10)", "page up", tooltip="Scroll up by ten rows."),
        Binding("pagedown", "move(10)", "page down", tooltip="Scroll down by ten rows."),
        Binding("home", "move(-1000000)", "first", tooltip="Go to the first sample."),
        Binding("end", "move(1000000)", "last", tooltip="Go to the last sample."),
    ]
    DEFAULT_CSS = """
    DataScreen { align: center middle; }
    DataScreen > Vertical {
        width: 100%; max-width: 120; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, frame: Frame) -> None:
        """Show the samples of `frame`."""
        super().__init__()
        self._title = data_title(frame)
        self._rows = _SampleRows(frame)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.styles.height = self._rows.count + HEADS + 2
            box.border_title = self._title
            box.border_subtitle = "↑ ↓: scroll   Esc: close"
            yield self._rows

    def action_move(self, rows: int) -> None:
        """Scroll."""
        self._rows.move(rows)


class _SampleRows(Panel):
    """The table, from a row on."""

    DEFAULT_CSS = "_SampleRows { height: 1fr; }"

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._shown, self._first = frame, 0
        samples = samples_of(frame)
        self.count = 1 if samples is None else count_of(samples)

    def lines(self, width: int, height: int) -> list[Line]:
        self._first = min(self._first, max(self.count + HEADS - height, 0))
        return data_lines(self._shown, self._first, width, height, is_whole=True)

    def move(self, rows: int) -> None:
        self._first = max(self._first + rows, 0)
        self.redraw()
