"""The base class of the dialogs over the bench."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from rich.console import RenderableType
from textual.await_complete import AwaitComplete
from textual.geometry import Region
from textual.screen import ModalScreen, Screen

from gradstep_tui.drawing.backdrop import Backdrop

Value = TypeVar("Value")

SLIVER: Final = 12
"""Columns left free by a box, up to which nothing of the bench is shown beside it."""


class Dialog(ModalScreen[Value], Generic[Value]):
    """A screen over the bench, which is dim behind it; it closes only once.

    Keys that arrive together may close it twice; the second time would close the screen below.
    """

    def render(self) -> RenderableType:
        """Return what is behind the dialog."""
        return behind(self, super().render())

    def dismiss(self, result: Value | None = None) -> AwaitComplete:
        """Close the dialog with a result, unless it is closed already or another one lies over it."""
        # `is_current` is also true of a screen that shows through: the one above it would be closed.
        on_top = self.is_attached and self.app.screen is self
        return super().dismiss(result) if on_top else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


def behind(screen: Screen[Any], below: RenderableType) -> Backdrop:
    """Return what is behind a screen's box: the bench, without the slivers of it beside a wide box.

    Args:
        screen: The screen with the box.
        below: What Textual would show.
    """
    box = next((child.region for child in screen.children), Region())
    beside = range(box.y, box.bottom) if screen.size.width - box.width <= SLIVER else range(0)
    # Themes with colours of their own are dimmed by Textual; the terminal's colours cannot be mixed.
    return Backdrop(below, beside, dim=screen.app.native_ansi_color)
