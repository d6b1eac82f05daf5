"""Says at the first login how to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from gradstep_tui.screens.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from gradstep_tui.workshop.wire.messages import Welcome


class ResumeScreen(Dialog[None]):
    """Shows the resume code until Enter says that it is written down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss", "written down", tooltip="Go to your bench.")
    ]
    DEFAULT_CSS = """
    ResumeScreen { align: center middle; background: $background; &:ansi { background: ansi_default; } }
    ResumeScreen > Vertical {
        width: 70; height: auto; border: round $text-primary; background: $background; padding: 0 1;
    }
    ResumeScreen Label { width: 100%; margin-bottom: 1; }
    ResumeScreen .code { text-style: bold; text-align: center; }
    ResumeScreen .hint { color: $text; text-style: dim; margin-bottom: 0; }
    """

    def __init__(self, welcome: Welcome) -> None:
        """Show what `welcome` tells."""
        super().__init__()
        self._welcome = welcome

    def compose(self) -> ComposeResult:
        """Lay it out."""
        name, code = self._welcome.name, self._welcome.resume_code
        with Vertical() as box:
            box.border_title = f"welcome, {name}"
            yield Label(f"The name {name} is yours now. Write down your resume code:", markup=False)
            yield Label(code, markup=False, classes="code")
            for text in coming_back(self._welcome):
                yield Label(text, markup=False)
            yield Label("Enter: I have written it down", markup=False, classes="hint")


def coming_back(welcome: Welcome) -> list[str]:
    """Say how to come back."""
    again = f" with\n{welcome.again}\n" if welcome.again else " "
    alone = "The join code alone will not give you the name back."
    shown = "; until then, M shows it"
    if welcome.role == "instructor":
        alone, shown = "The instructor code works as well.", ""
    return [
        f"To come back to where you were, log in{again}and type this code. {alone} "
        "With the same SSH key, no code is needed.",
        f"The code is shown again when you leave{shown}.",
    ]
