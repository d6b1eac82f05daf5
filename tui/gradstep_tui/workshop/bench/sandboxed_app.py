"""A bench that reaches nothing of the machine that it runs on, except one folder for exports."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand

from gradstep_tui.app import GradstepApp
from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.text.remarks import success
from gradstep_tui.widgets.notice import is_whole
from gradstep_tui.workshop.bench.session.folder_exports import FilesWritten, FolderExports

if TYPE_CHECKING:
    from textual.screen import Screen

REMOVED_COMMANDS: Final = ("Screenshot",)
"""Titles of Textual's commands that would write to the server's disk."""

WORKER_NICE: Final = 19
"""Niceness of worker threads: drawing comes before long work, in every learner's process."""


class SandboxedApp(GradstepApp):
    """The app for a remote learner: it starts no browser and no shell, and writes into one folder only."""

    CSS_PATH = str(Path(__file__).parents[2] / "screens" / "bench.tcss")
    exports: FolderExports

    def prepare_long_work(self) -> None:
        """Lower the priority of the current thread, which will do long work."""
        lower_priority()

    def on_files_written(self, message: FilesWritten) -> None:
        """Show the folder of written files in a dialog if the notice has no room for the whole sentence."""
        if not is_whole(success(message.text), self.size.width):
            self.push_screen(TextScreen("written", message.text.split(": ")))

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Do nothing: a browser would open on the server."""

    def action_suspend_process(self) -> None:
        """Do nothing: there is no shell to return to."""

    def deliver_text(self, *_: object, **__: object) -> str | None:
        """Write nothing: the file would be on the server's disk."""
        return None

    def deliver_binary(self, *_: object, **__: object) -> str | None:
        """Write nothing: the file would be on the server's disk."""
        return None

    def deliver_screenshot(self, *_: object, **__: object) -> str | None:
        """Write nothing: the file would be on the server's disk."""
        return None

    def save_screenshot(self, *_: object, **__: object) -> str:
        """Write nothing: the file would be on the server's disk."""
        return ""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return Textual's commands without those that write files."""
        commands = super().get_system_commands(screen)
        return (command for command in commands if command.title not in REMOVED_COMMANDS)


def lower_priority() -> None:
    """Set the current thread to the lowest priority; Linux schedules each thread by its own niceness."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WORKER_NICE)
