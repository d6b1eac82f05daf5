"""The Textual app: opens the bench and handles signals, themes, filters and the command palette."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.reactive import Reactive
from textual.screen import Screen

from gradstep_tui.drawing.ascii import AsciiFilter
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.terminal.textual_driver import woken_at_the_end
from gradstep_tui.terminal.textual_internals import StyledOnceApp, is_passed_on, resize_in_order

if TYPE_CHECKING:
    from textual.driver import Driver

    from gradstep.session import Session
    from gradstep_tui.session.autosave import Autosave

ENDING_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""Names of the signals at which the program ends in an orderly way; not every system has all of them."""

TEXTUALS_OWN: Final = ("Theme", "Screenshot")
"""Textual's own commands that stay in the palette; the others have a key here or would cover the bench."""


class GradstepApp(StyledOnceApp):
    """One bench in one terminal."""

    TITLE = "gradstep"
    CSS_PATH = "screens/bench.tcss"  # Textual does not read the CSS_PATH of a default screen
    # The terminal's own colours suit light and dark backgrounds, and need few bytes on a slow connection.
    theme: Reactive[str] = Reactive("ansi-dark")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", show=False, priority=True, tooltip="Leave the trainer.")
    ]

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        autosave: Autosave | None = None,
        ascii_only: bool = False,
    ) -> None:
        """Show a bench for the session that `make_session` makes.

        Args:
            make_session: Makes the session; called in a thread once the first frame is on screen.
            autosave: Saves the session; None to save nothing.
            ascii_only: Whether to draw with ASCII characters only.
        """
        super().__init__()
        self._make_session = make_session
        self._autosave = autosave
        self._ascii = [AsciiFilter()] if ascii_only else []

    def prepare_long_work(self) -> None:
        """Do nothing; called in each thread that does long work, before it begins."""

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver, changed so that it ends at once when the app exits."""
        return woken_at_the_end(super().get_driver_class())

    async def on_event(self, event: events.Event) -> None:
        """Pass characters that were typed before a question's field had the focus to the field.

        Textual would drop them.
        """
        missed = event.character if isinstance(event, events.Key) and is_passed_on(event) else None
        # A field with the focus does not forward characters, so this character went to the screen below.
        if missed and missed.isprintable() and isinstance(self.screen, AskScreen):
            self.screen.type_ahead(missed)
        else:
            await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        """Return the bench."""
        return BenchScreen(self._make_session, self._autosave)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters, with one for ASCII if asked for, and one that removes ANSI colours."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            # Textual chose its filter before it knew the theme, and would turn the terminal's own grey black.
            filters = [NoColor() if isinstance(chosen, Monochrome) else chosen for chosen in filters]
        return [*filters, *self._ascii]

    def on_mount(self) -> None:
        """Handle ending signals: leave in an orderly way and restore the terminal."""
        loop = asyncio.get_running_loop()
        for name in ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                try:
                    loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))
                except (NotImplementedError, RuntimeError, ValueError):
                    return  # Windows, or not the main thread (tests): keep the default
        resize_in_order(loop)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the commands of the palette: some of Textual's, and every key of the bench if it is on top.

        A dialog over the bench relies on the session not changing meanwhile.
        """
        for command in super().get_system_commands(screen):
            if command.title in TEXTUALS_OWN:
                yield command
        if isinstance(screen, BenchScreen):
            for key in screen.keys:
                yield SystemCommand(
                    f"{key.label} ({key.shown})", key.tooltip, partial(screen.action_press, key.id)
                )
