"""The dialog with all numbers of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.panel import Panel


class LookScreen(Dialog[None]):
    """A step of the backward pass in full, to scroll through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench.")
    ]
    DEFAULT_CSS = """
    LookScreen { align: center middle; }
    LookScreen > VerticalScroll {
        width: 96%; height: auto; max-height: 96%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, lines_in: Callable[[int], list[Line]]) -> None:
        """Show the lines that `lines_in` returns for a width in cells."""
        super().__init__()
        self._lines_in = lines_in

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with VerticalScroll(can_focus=True) as scroll:
            scroll.border_title = "this step"
            scroll.border_subtitle = "Esc: close   arrows: scroll"
            yield _WholeStep(self._lines_in)


class _WholeStep(Panel):
    """The explanation of the step, as high as all of its lines."""

    def __init__(self, lines_in: Callable[[int], list[Line]]) -> None:
        super().__init__()
        self._lines_in = lines_in

    def on_mount(self) -> None:
        self._fit()

    def lines(self, width: int, height: int) -> list[Line]:
        return self._lines_in(width)

    def on_resize(self, event: object) -> None:
        self._fit()
        self.redraw()

    def _fit(self) -> None:
        width = self.size.width or self.app.size.width - 8
        self.styles.height = len(self._lines_in(width))
