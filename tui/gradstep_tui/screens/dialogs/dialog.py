"""The base class of the dialogs over the bench."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Value = TypeVar("Value")


class Dialog(ModalScreen[Value], Generic[Value]):
    """A screen over the bench that closes only once.

    Keys that arrive together may close it twice; the second time would close the screen below.
    """

    def dismiss(self, result: Value | None = None) -> AwaitComplete:
        """Close the dialog with a result, unless it is closed already or another one lies over it."""
        # `is_current` is also true of a screen that shows through: the one above it would be closed.
        on_top = self.is_attached and self.app.screen is self
        return super().dismiss(result) if on_top else AwaitComplete.nothing()  # type: ignore[no-untyped-call]
