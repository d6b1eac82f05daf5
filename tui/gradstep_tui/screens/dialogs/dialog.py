"""What lies over the bench for a while."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Value = TypeVar("Value")


class Dialog(ModalScreen[Value], Generic[Value]):
    """A screen over the bench that closes once.

    Keys that arrive together may ask for that twice; the second time would take away what is below.
    """

    def dismiss(self, result: Value | None = None) -> AwaitComplete:
        """Close with a result, unless it has closed already."""
        return super().dismiss(result) if self.is_current else AwaitComplete.nothing()  # type: ignore[no-untyped-call]
