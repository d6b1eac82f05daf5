"""The dialog that lists every key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from gradstep_tui.bindings import like
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.dialogs.dialog import Dialog

MORE: Final = """
 ctrl+p   the command palette: every action by name, and the colour themes
 ctrl+c   leave the trainer

 On screen
   *              the last action changed this number
   >              the current step of the pass, and the line that runs next
   #              a line of the loop that is commented out
   |              the cursor, at the lines of the loop that #, K and J edit
   old + new = sum   backward() adds to .grad; it never overwrites it
   +  sum  cast   done by PyTorch's engine between two autograd nodes
   None, 0        no gradient at all; a gradient that is zero
"""


class HelpScreen(Dialog[None]):
    """The list of keys, and the signs on the bench. Esc, q, ? and Enter close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("help"),
        like("manual", "manual", "Open the manual instead."),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, keys: Sequence[Key] = KEYS, more: str = MORE) -> None:
        """Show the list of `keys`, and then the text `more`."""
        super().__init__()
        self._text = help_text(keys, more)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with VerticalScroll(can_focus=True) as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = "F1: manual   Esc: close   arrows: scroll"
            yield Static(self._text, markup=False)

    def action_manual(self) -> None:
        """Go on to the manual."""
        self.dismiss()
        open_manual(self.app)


def open_manual(app: App[object]) -> None:
    """Open the manual; its screen and the Markdown parser are imported only now."""
    from gradstep_tui.screens.help.manual import ManualScreen

    app.push_screen(ManualScreen())


def help_text(keys: Sequence[Key] = KEYS, more: str = MORE) -> str:
    """Return the list of `keys`, a line each, followed by the text `more`."""
    return "\n".join(f" {key.shown:<8} {key.tooltip}" for key in keys) + "\n" + more
