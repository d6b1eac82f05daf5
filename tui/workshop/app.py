"""A learner's app: the bench as at home, and what a class adds to it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from tui.app import GradstepApp
from tui.ascii import terminal_speaks_utf8
from tui.escape import know_escape_soon
from tui.workshop.keeper import ClassExports, ClassKeeper
from tui.workshop.link import Link
from tui.workshop.messages import Stop, ToChild, Welcome
from tui.workshop.screens.bench import ClassBench
from tui.workshop.screens.instructor import InstructorBench
from tui.workshop.screens.learner import LearnerBench

if TYPE_CHECKING:
    from textual.screen import Screen as AnyScreen

NOT_HERE: Final = ("Screenshot",)
"""Textual's commands that would reach the server's disk."""


class Heard(Message):
    """The server said something."""

    def __init__(self, said: ToChild) -> None:
        """Carry it."""
        super().__init__()
        self.said = said


class ClassApp(GradstepApp):
    """One learner's, in a process of its own on the server."""

    CSS_PATH = str(Path(__file__).parent.parent / "screens" / "bench.tcss")
    CSS = "ToastRack { margin-bottom: 2; }"  # above the notice and the keys

    def __init__(self, link: Link, welcome: Welcome, *, ascii_only: bool) -> None:
        """Go on where `welcome` says."""
        self._keeper_of_class = ClassKeeper(link, welcome)
        super().__init__(self._keeper_of_class.rejoin, keeper=self._keeper_of_class, ascii_only=ascii_only)
        self.link, self.welcome = link, welcome
        self.exports = ClassExports(link, welcome)
        self.farewell = ""
        """Why the server ended this; empty where the learner left."""

    @property
    def bench(self) -> ClassBench:
        """The own bench, which lies below all other screens."""
        return next(screen for screen in self.screen_stack if isinstance(screen, ClassBench))

    def get_default_screen(self) -> Screen[None]:
        """Open the bench."""
        kind = InstructorBench if self.welcome.role == "instructor" else LearnerBench
        return kind(self._keeper_of_class, self.link, self.welcome)

    def on_mount(self) -> None:
        """Listen to the server, too."""
        self.link.listen(self._post)

    def _post(self, said: ToChild) -> None:
        self.post_message(Heard(said))

    def on_heard(self, message: Heard) -> None:
        """Do what the server says."""
        said = message.said
        if isinstance(said, Stop):
            self.farewell = said.why
            self.exit()
            return
        self.bench.hear(said)

    # Nothing here reaches the server's disk, browser or job control.

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open nothing: the browser would be the server's."""

    def action_suspend_process(self) -> None:
        """Suspend nothing: there is no shell to go back to."""

    def deliver_screenshot(self, *_: object, **__: object) -> str | None:
        """Write nothing."""
        return None

    def save_screenshot(self, *_: object, **__: object) -> str:
        """Write nothing."""
        return ""

    def get_system_commands(self, screen: AnyScreen[object]) -> Iterable[SystemCommand]:
        """Leave out what is not for here."""
        return (one for one in super().get_system_commands(screen) if one.title not in NOT_HERE)


def run(line: socket.socket) -> int:
    """Run a learner's app; gives the exit status."""
    link = Link(line)
    try:
        welcome = link.welcome()
    except ConnectionError:
        return 1
    know_escape_soon()
    app = ClassApp(link, welcome, ascii_only=not terminal_speaks_utf8())
    app.run()
    for text in [app.farewell] if app.farewell else goodbye(welcome):
        print(text, flush=True)
    return app.return_code or 0


def goodbye(welcome: Welcome) -> Iterable[str]:
    """Say how to come back."""
    again = f" with: {welcome.again}" if welcome.again else ""
    yield f"Goodbye, {welcome.name}. Nothing is lost: log in again{again}"
    if welcome.resume_code:
        yield f"Your resume code: {welcome.resume_code}"
