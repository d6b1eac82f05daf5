"""The base class of the dialogs over the bench."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from rich.console import RenderableType
from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from gradstep_tui.drawing.backdrop import Backdrop
from gradstep_tui.text.tensors.numbers import WIDEST
from gradstep_tui.widgets.panel import Panel

Value = TypeVar("Value")

NUMBER: Final = WIDEST + 2
"""Cells that a number takes in a dialog's table, with the brackets around the chosen one."""

SLIVER: Final = 12
"""Columns left free by a box, up to which nothing of the bench is shown beside it."""


class Dialog(ModalScreen[Value], Generic[Value]):
    """A screen over the bench, which is dim behind it; it closes only once.

    Keys that arrive together may close it twice; the second time would close the screen below.
    """

    def render(self) -> RenderableType:
        """Return what is behind the dialog."""
        return behind(self, super().render())

    def action_walk(self, steps: int) -> None:
        """Choose a row of the dialog's list, `steps` below the chosen one, if it has a list."""

    def choose_number(self, rows: int, columns: int) -> None:
        """Choose the number some rows and columns away, if the dialog has a table of numbers."""

    async def click_beside(self) -> None:
        """Do what a click inside the box does that chooses nothing."""

    async def on_click(self, event: events.Click) -> None:
        """Choose the row or number that was clicked. A double click is Enter, one beside the box Esc."""
        event.stop()
        box = next(iter(self.children), None)
        panel, region = self.get_widget_at(event.screen_x, event.screen_y)
        if box is not None and not box.region.contains(event.screen_x, event.screen_y):
            await self._do("escape", self)
        elif isinstance(panel, Panel):
            way = panel.way_to(event.screen_x - region.x, event.screen_y - region.y)
            if way is None:
                await self.click_beside()
            elif event.chain > 1 and not way[1]:
                await self._do("enter", panel, self)
            else:
                getattr(panel, "action_walk", self.action_walk)(way[1])
                self.choose_number(way[1], way[0] // NUMBER)

    async def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Do what the arrow up does."""
        await self._do("up", self.get_widget_at(event.screen_x, event.screen_y)[0], self)

    async def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Do what the arrow down does."""
        await self._do("down", self.get_widget_at(event.screen_x, event.screen_y)[0], self)

    async def _do(self, key: str, *owners: Widget) -> None:
        """Do the action for a key of the first of some widgets that has one, or whose base class has one."""
        for owner in owners:
            ours = [kind for kind in type(owner).__mro__ if issubclass(kind, (Dialog, Panel))]
            for binding in [found for kind in ours for found in kind.__dict__.get("BINDINGS", ())]:
                if isinstance(binding, Binding) and key in binding.key.split(","):
                    await owner.run_action(binding.action)
                    return

    def dismiss(self, result: Value | None = None) -> AwaitComplete:
        """Close the dialog with a result, unless it is closed already or another one lies over it."""
        # `is_current` is also true of a screen that shows through: the one above it would be closed.
        on_top = self.is_attached and self.app.screen is self
        return super().dismiss(result) if on_top else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


def behind(screen: Screen[Any], below: RenderableType) -> RenderableType:
    """Return what is behind a screen's box: the bench, without the slivers of it beside a wide box.

    Args:
        screen: The screen with the box.
        below: What Textual would show.
    """
    if not hasattr(below, "__rich_console__"):  # Textual draws an empty screen itself, if none is below
        return below
    box = next((child.region for child in screen.children), Region())
    beside = range(box.y, box.bottom) if screen.size.width - box.width <= SLIVER else range(0)
    # Themes with colours of their own are dimmed by Textual; the terminal's colours cannot be mixed.
    return Backdrop(below, beside, dim=screen.app.native_ansi_color)
