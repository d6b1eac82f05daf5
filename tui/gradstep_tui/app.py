"""The Textual app: opens the bench and handles signals, themes, filters and the command palette."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.reactive import Reactive
from textual.screen import Screen

from gradstep_tui.drawing.ascii import AsciiFilter, BlocksFilter
from gradstep_tui.keymap import Keymap
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.field import Field
from gradstep_tui.screens.dialogs.palette import Palette
from gradstep_tui.screens.openers.themes import choose_theme
from gradstep_tui.terminal.capabilities import shows_braille
from gradstep_tui.terminal.textual_driver import bench_driver, leave_at_signals
from gradstep_tui.terminal.textual_internals import (
    StyledOnceApp,
    ignore_early_pages,
    is_passed_on,
    write_changes_only,
)

if TYPE_CHECKING:
    from textual.driver import Driver

    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session
    from gradstep_tui.courses.lesson_taking import LessonTaking
    from gradstep_tui.session.autosave import Autosave
    from gradstep_tui.session.preferences import Preferences
    from gradstep_tui.terminal.pixels import PixelProtocol

THEME: Final = "Theme"
TEXTUALS_OWN: Final = (THEME, "Screenshot")
"""Textual's own commands that stay in the palette, the first where no key of the bench does the same.

The others have a key here or would cover the bench.
"""


class GradstepApp(StyledOnceApp):
    """One bench in one terminal."""

    TITLE = "gradstep"
    CSS = "ToastRack { margin-bottom: 2; }"  # above the notice and the keys
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
        runs: str = "",
        preferences: Preferences | None = None,
        pixels: PixelProtocol | None = None,
    ) -> None:
        """Show a bench for the session that `make_session` makes.

        Args:
            make_session: Makes the session; called in a thread once the first frame is on screen.
            autosave: Saves the session; None to save nothing.
            ascii_only: Whether to draw with ASCII characters only.
            runs: Words for the script that runs until there is a session; empty if none does.
            preferences: Remembers the theme and the problem; None to remember nothing.
            pixels: How to send the terminal pictures made of pixels; None if it does not show them.
        """
        super().__init__()
        self.pixels = pixels
        self.preferences = preferences
        self.taking: LessonTaking | None = None
        """Lesson whose session is made first; None for none."""

        self.lesson_progress: LessonProgress | None = None
        """Keeps what is done in lessons; None to keep nothing."""

        if preferences is not None and preferences.theme in self.available_themes:
            self.theme = preferences.theme
        self._wrong_keys: tuple[str, ...] = ()
        self._ascii_only = ascii_only
        self.choose_keys(Keymap())
        self._runs = runs
        ignore_early_pages()
        write_changes_only()
        self._make_session = make_session
        self._autosave = autosave
        self._plainer: list[LineFilter] = (
            [AsciiFilter()] if ascii_only else [] if shows_braille() else [BlocksFilter()]
        )

    def choose_keys(self, keymap: Keymap) -> None:
        """Use and show the keys that the user has chosen in place of the usual ones."""
        keymap.use(ascii_only=self._ascii_only)
        self.set_keymap(keymap.keys)
        self._wrong_keys = keymap.problems

    def prepare_long_work(self) -> None:
        """Do nothing; called in each thread that does long work, before it begins."""

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver, adapted to the terminal, and ending at once when the app exits."""
        return bench_driver(super().get_driver_class())

    async def on_event(self, event: events.Event) -> None:
        """Pass a key that was pressed before a question's field had the focus on to the field.

        Textual would drop the key, or handle it before earlier ones.
        """
        screen = self.screen if self.screen_stack else None
        if screen is None and isinstance(event, (events.Key, events.Paste)):
            return  # the program is ending: Textual would look for a screen to pass it on to
        asked = screen.field if isinstance(screen, AskScreen) and screen.is_mounted else None
        focused = None if screen is None else screen.focused
        if asked is not None and isinstance(event, events.Paste) and focused is None:
            asked.insert_text_at_cursor(event.text.partition("\n")[0].strip())
            return
        # A field with the focus keeps the keys that it knows: this one was pressed before it had the focus.
        if isinstance(event, events.Key) and is_passed_on(event):
            field = asked or focused
            if isinstance(field, Field) and await field.take(event):
                return
        await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        """Return the bench."""
        return BenchScreen(self._make_session, self._autosave, self._runs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters, with one for plainer characters and one that removes ANSI colours."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            # Textual chose its filter before it knew the theme, and would turn the terminal's own grey black.
            filters = [NoColor() if isinstance(chosen, Monochrome) else chosen for chosen in filters]
        return [*filters, *self._plainer]

    def on_mount(self) -> None:
        """Handle ending signals: leave in an orderly way and restore the terminal."""
        leave_at_signals(lambda number: self.exit(return_code=128 + number))
        self.call_after_refresh(self._name_wrong_keys)

    def _name_wrong_keys(self) -> None:
        """Name the entries of the keymap that cannot be used, if there are any."""
        if self._wrong_keys:
            first, *more = self._wrong_keys
            text = f"{first}{f' (and {len(more)} more)' if more else ''}"
            self.notify(
                text, title="some keys stay as they are", severity="warning", timeout=15, markup=False
            )

    def on_driver_signal_resume(self) -> None:
        """Draw everything: the program was suspended, or the terminal taken away from it."""
        self.refresh(layout=True)

    def action_command_palette(self) -> None:
        """Open the command palette, unless it is open, perhaps under a question whose key came at once."""
        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Open the list of colour themes."""
        choose_theme(self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the commands of the palette: some of Textual's, and every key of the bench if it is on top.

        A dialog over the bench relies on the session not changing meanwhile.
        """
        on_bench = isinstance(screen, BenchScreen)
        for command in super().get_system_commands(screen):
            if command.title in TEXTUALS_OWN and not (on_bench and command.title == THEME):
                yield command
        if isinstance(screen, BenchScreen):
            for key in screen.keys:
                yield SystemCommand(
                    f"{key.label} ({key.shown})", key.tooltip, partial(screen.action_press, key.id)
                )
