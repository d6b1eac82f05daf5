"""A bench that reaches nothing of the machine it runs on, but one folder for exports."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.message import Message

from gradstep.errors import BadInput
from gradstep_tui.app import GradstepApp
from gradstep_tui.commands.export import Exports
from gradstep_tui.screens.dialogs.text import TextScreen

if TYPE_CHECKING:
    from textual.screen import Screen

NO_SCRIPTS: Final = "own files are not run here: choose a built-in problem (p)"

NOT_HERE: Final = ("Screenshot",)
"""Textual's commands that would reach the server's disk."""

MOST_FILES: Final = 100
MOST_BYTES: Final = 50_000_000
"""What a folder for exports may hold."""

BEHIND: Final = 19
"""The niceness of long work: benches that only draw come before it, everybody's."""

_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


class Written(Message):
    """Files were written."""

    def __init__(self, told: str) -> None:
        """Carry what there is to say about it."""
        super().__init__()
        self.told = told


class FolderExports(Exports):
    """Files go into one folder, under plain names."""

    def __init__(self, folder: Path, tell: Callable[[Written], object]) -> None:
        """Use a folder; `tell` hears of what was written, from another thread."""
        self._folder, self._tell = folder, tell

    def place(self, to: str) -> str:
        """Give the path for a plain name.

        Raises:
            BadInput: it is none, or nothing can be written into the folder.
        """
        if not _FILE.fullmatch(to):
            raise BadInput(f"{to[:40]!r} is no name for a file here: letters, digits, . _ - and no folder")
        files = [*self._folder.iterdir()]
        if any(not one.is_file() or one.is_symlink() for one in files):
            raise BadInput("there is something else than files in the folder for exports: nothing is written")
        if len(files) >= MOST_FILES or sum(one.stat().st_size for one in files) > MOST_BYTES:
            raise BadInput("the folder for exports is full: use a name that is there already")
        return str(self._folder / to)

    def shown(self, path: str | os.PathLike[str]) -> str:
        """Write a path: the folder is the server's business."""
        return os.path.basename(path)

    def told(self, paths: Sequence[Path]) -> str:
        """Say what was written, and have it told in full where a line is too short."""
        told = self.words(tuple(path.name for path in paths))
        self._tell(Written(told))
        return told

    def words(self, names: Sequence[str]) -> str:
        """Say what was written where."""
        return f"wrote {', '.join(names)} in {self._folder}"


class ConfinedApp(GradstepApp):
    """A bench for somebody who has no other business on the machine."""

    CSS_PATH = str(Path(__file__).parents[2] / "screens" / "bench.tcss")
    exports: FolderExports

    def on_mount(self) -> None:
        """Have long work stand back behind what others draw; Textual calls the base's handler, too."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=stand_back))

    def on_written(self, message: Written) -> None:
        """Say in full what the notice has no room for."""
        if len(message.told) > self.size.width - 4:
            self.push_screen(TextScreen("written", message.told.split(": ")))

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open nothing: the browser would be the server's."""

    def action_suspend_process(self) -> None:
        """Suspend nothing: there is no shell to go back to."""

    def deliver_text(self, *_: object, **__: object) -> str | None:
        """Write nothing."""
        return None

    def deliver_binary(self, *_: object, **__: object) -> str | None:
        """Write nothing."""
        return None

    def deliver_screenshot(self, *_: object, **__: object) -> str | None:
        """Write nothing."""
        return None

    def save_screenshot(self, *_: object, **__: object) -> str:
        """Write nothing."""
        return ""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Leave out what is not for here."""
        return (one for one in super().get_system_commands(screen) if one.title not in NOT_HERE)


def stand_back() -> None:
    """Make this thread the last in line for the processor; on Linux that is each thread's own matter."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)
