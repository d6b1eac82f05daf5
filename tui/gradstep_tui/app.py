"""The Textual app: opens the bench and wires what belongs to no screen."""

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
    from gradstep_tui.session.autosave import Keeper

ENDING_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end the program the orderly way; not every system has them all."""

TEXTUALS_OWN: Final = ("Theme", "Screenshot")
"""Textual's commands that stay in the palette. The others have a key here, or take the bench's room."""


class GradstepApp(StyledOnceApp):
    """One bench in one terminal."""

    TITLE = "gradstep"
    CSS_PATH = "screens/bench.tcss"  # Textual does not read a default screen's own
    # The terminal's own colours: right on light and dark backgrounds, and short on the wire.
    theme: Reactive[str] = Reactive("ansi-dark")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", show=False, priority=True, tooltip="Leave the trainer.")
    ]

    def __init__(
        self, make_session: Callable[[], Session], *, keeper: Keeper | None = None, ascii_only: bool = False
    ) -> None:
        """Train what `make_session` makes.

        Args:
            make_session: Called in a thread once the first frame is on screen.
            keeper: What saves the session; None where nothing does.
            ascii_only: Whether to draw with ASCII characters only.
        """
        super().__init__()
        self._make_session = make_session
        self._keeper = keeper
        self._ascii = [AsciiFilter()] if ascii_only else []

    def get_driver_class(self) -> type[Driver]:
        """Have the driver end as soon as it is told to."""
        return woken_at_the_end(super().get_driver_class())

    async def on_event(self, event: events.Event) -> None:
        """Hand a question what was typed before its field had the focus: Textual would drop it."""
        missed = event.character if isinstance(event, events.Key) and is_passed_on(event) else None
        # A field that has the focus keeps a character to itself; so this one went to the screen below.
        if missed and missed.isprintable() and isinstance(self.screen, AskScreen):
            self.screen.type_ahead(missed)
        else:
            await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        """Open the bench."""
        return BenchScreen(self._make_session, self._keeper)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the rewriting to ASCII where it is wanted, and take colours out of terminal-coloured themes."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            # Textual chose its filter before the theme was known; grey made of the terminal's own is black.
            filters = [NoColor() if isinstance(one, Monochrome) else one for one in filters]
        return [*filters, *self._ascii]

    def on_mount(self) -> None:
        """Leave in order, giving the terminal back, when a signal says so."""
        loop = asyncio.get_running_loop()
        for name in ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                try:
                    loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))
                except (NotImplementedError, RuntimeError, ValueError):
                    return  # Windows, or not the main thread (tests): the default stands
        resize_in_order(loop)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Put every key of the bench into the command palette, unless something lies over the bench.

        What is open there counts on the session to stand still.
        """
        for command in super().get_system_commands(screen):
            if command.title in TEXTUALS_OWN:
                yield command
        if isinstance(screen, BenchScreen):
            for key in screen.keys:
                yield SystemCommand(
                    f"{key.label} ({key.shown})", key.tooltip, partial(screen.action_press, key.id)
                )
