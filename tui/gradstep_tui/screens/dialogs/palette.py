"""The command palette, which survives what arrives before it is on screen and after it was closed."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from textual import events, on
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Input, OptionList

from gradstep_tui.screens.dialogs.dialog import behind


class Palette(CommandPalette):
    """Textual's command palette, without its crashes.

    Textual's own looks for its list and its field in handlers, timers and watchers that also run when the
    palette has no widgets: keys that arrive with the one that opens it come before they are made, and a
    search may go on after they are gone.
    """

    def render(self) -> RenderableType:
        """Return what is behind the palette."""
        return behind(self, super().render())

    def query_one(self, selector: Any, expect_type: Any = None) -> Any:
        """Return the widget, or one that is on no screen while the palette has none of this kind."""
        try:
            return super().query_one(selector, expect_type)
        except NoMatches:
            kind = selector if isinstance(selector, type) else expect_type
            if kind is None or self.is_in_use:
                raise
            return kind()

    @property
    def is_in_use(self) -> bool:
        """Whether the palette has its widgets and is on top."""
        return self.is_current and bool(self.query("CommandList"))

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close the palette, unless it is closed or covered: another screen would be closed for it."""
        on_top = self.is_attached and self.app.screen is self
        return super().dismiss(result) if on_top else AwaitComplete()

    def on_mount(self, event: events.Mount) -> None:
        """Search for nothing if the palette was closed before it was mounted."""
        self._ignore_if_closed(event)

    @on(Input.Changed)
    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    @on(OptionList.OptionHighlighted)
    @on(events.Click)
    def _ignore_if_closed(self, message: Message) -> None:
        """Keep from Textual's palette what was sent to it before it was closed."""
        if not self.is_current:
            message.prevent_default()
            message.stop()
