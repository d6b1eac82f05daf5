"""The resume code, shown at the first login."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from gradstep_tui.screens.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from gradstep_tui.workshop.wire.messages import Welcome


KEEP: Final = (
    "F8: I have, and this computer's SSH key may log in without a code. "
    "Only if nobody else uses this computer's account!"
)


class ResumeScreen(Dialog[bool]):
    """Shows the resume code until Enter or F8 says that it is written down; F8 keeps the SSH keys as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(False)", "written down", tooltip="Go to your bench."),
        Binding(
            "f8", "dismiss(True)", "and keep keys", tooltip="Let this computer's SSH key log in as well."
        ),
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
        """Show the resume code that `welcome` contains."""
        super().__init__()
        self._welcome = welcome

    def compose(self) -> ComposeResult:
        """Lay out the code and the sentences around it."""
        name, code = self._welcome.name, self._welcome.resume_code
        with Vertical() as box:
            box.border_title = f"welcome, {name}"
            yield Label(f"The name {name} is yours now. Write down your resume code:", markup=False)
            yield Label(code, markup=False, classes="code")
            for text in coming_back(self._welcome):
                yield Label(text, markup=False)
            yield Label("Enter: I have written it down", markup=False, classes="hint")
            if self._welcome.offered:
                yield Label(KEEP, markup=False, classes="hint")


def coming_back(welcome: Welcome) -> list[str]:
    """Return paragraphs on how to log in again, and on the key that shows the code again."""
    log_in = (
        f"log in with\n{welcome.again}\nand type this code" if welcome.again else "log in and type this code"
    )
    if welcome.role == "instructor":
        other_code = "The instructor code works as well."
        shown_again = "The code is shown again when you leave."
    else:
        other_code = "The join code alone will not give you the name back."
        shown_again = "The code is shown again when you leave; until then, F3 shows it."
    return [
        f"To continue where you left off, {log_in}. {other_code}",
        shown_again,
    ]
