"""Offers to go on with a session that was not left in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from tui.screens.dialog import Dialog
from tui.words import offer_text

if TYPE_CHECKING:
    from tui.keeping import Offer


class OfferScreen(Dialog[bool]):
    """Gives True where the session is to be gone on with, False for a new one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "answer(True)", "resume", tooltip="Go on with it."),
        Binding("escape,n", "answer(False)", "new", tooltip="Begin anew; it is kept."),
    ]
    DEFAULT_CSS = """
    OfferScreen { align: center middle; }
    OfferScreen > Vertical {
        width: 70; height: auto; border: round $text-primary; background: $background; padding: 0 1;
    }
    OfferScreen Label { width: 100%; }
    OfferScreen .hint { color: $text; text-style: dim; }
    """

    def __init__(self, offer: Offer) -> None:
        """Offer it."""
        super().__init__()
        self._offer = offer

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical() as box:
            box.border_title = "go on?"
            yield Label(offer_text(self._offer), markup=False)
            yield Label(f"It is saved in {self._offer.path}", markup=False, classes="hint")
            yield Label("Enter goes on with it, Esc begins anew and keeps it", classes="hint")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
