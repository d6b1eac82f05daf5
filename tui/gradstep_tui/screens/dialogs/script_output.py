"""The dialog with the script's output, which grows while the script prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from gradstep_tui.bindings import like
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.scripts.script_notes import printed_texts

if TYPE_CHECKING:
    from gradstep.captured_output import Printed

LOOKS_PER_SECOND: Final = 4


class PrintedScreen(Dialog[None]):
    """The newest lines of the output, to scroll through; the key that opened the dialog closes it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("printed"),
    ]
    DEFAULT_CSS = """
    PrintedScreen { align: center middle; }
    PrintedScreen > VerticalScroll {
        width: 100%; max-width: 130; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, notes: tuple[str, ...], printed: Printed) -> None:
        """Show the notes on a script, and its output."""
        super().__init__()
        self._notes, self._printed = notes, printed
        self._shown = -1

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with VerticalScroll(can_focus=True) as scroll:
            scroll.border_title = "what the script printed"
            scroll.border_subtitle = "arrows, PgUp, Home: scroll   Esc: close"
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Show the end, and poll for new output."""
        scroll = self.query_one(VerticalScroll)
        scroll.focus()
        scroll.anchor()
        self._look()
        self.set_interval(1 / LOOKS_PER_SECOND, self._look)

    def _look(self) -> None:
        """Show new lines, unless the learner has scrolled up to read older ones."""
        printed, scroll = self._printed, self.query_one(VerticalScroll)
        printed.catch_up()  # works in the middle of a run, too
        if printed.changes == self._shown or scroll.scroll_target_y < scroll.max_scroll_y:
            return
        self._shown = printed.changes
        self.query_one(Static).update("\n".join(printed_texts(self._notes, printed)))
