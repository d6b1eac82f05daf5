"""The Textual app for recordings: one that was read from a file, or one pass of a program that runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from gradstep_tui.app import GradstepApp
from gradstep_tui.screens.recording import LivePassScreen, RecordingScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from gradstep.session import Session
    from gradstep_tui.session.preferences import Preferences


class RecordingApp(GradstepApp):
    """One recording in one terminal."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        ascii_only: bool = False,
        preferences: Preferences | None = None,
    ) -> None:
        """Show a bench for the recording that `make_session` opens.

        Args:
            make_session: Opens the recording; called in a thread once the first frame is on screen.
            ascii_only: Whether to draw with ASCII characters only.
            preferences: Remembers the theme; None to remember nothing.
        """
        super().__init__(make_session, ascii_only=ascii_only, preferences=preferences)
        self._open_recording = make_session

    def get_default_screen(self) -> Screen[None]:
        """Return the bench for a recording."""
        return RecordingScreen(self._open_recording)


class LivePassApp(RecordingApp):
    """One pass of a program that waits for the app's end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "interrupt", show=False, priority=True, tooltip="End the program.")
    ]

    def get_default_screen(self) -> Screen[None]:
        """Return the bench for a pass of a program that runs."""
        return LivePassScreen(self._open_recording)

    def action_interrupt(self) -> None:
        """Leave, and interrupt the program as ctrl+c does without the bench."""
        self.exit(return_code=128 + signal.SIGINT)
