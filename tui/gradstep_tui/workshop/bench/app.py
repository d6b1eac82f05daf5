"""A learner's app: the bench as at home, and what a class adds to it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from threading import Timer
from typing import Final

from textual.message import Message
from textual.screen import Screen

from gradstep_tui.drawing.ascii import terminal_speaks_utf8
from gradstep_tui.terminal.textual_driver import know_escape_soon
from gradstep_tui.workshop.bench.sandboxed_app import ConfinedApp
from gradstep_tui.workshop.bench.screens.bench import ClassBench
from gradstep_tui.workshop.bench.screens.instructor import InstructorBench
from gradstep_tui.workshop.bench.screens.learner import LearnerBench
from gradstep_tui.workshop.bench.session.autosave import ClassExports, ClassKeeper
from gradstep_tui.workshop.bench.session.server_link import Link
from gradstep_tui.workshop.wire.messages import Stop, ToChild, Welcome

LAST: Final = 5.0
"""Seconds to leave in order when the server is gone."""


class Heard(Message):
    """The server said something."""

    def __init__(self, said: ToChild) -> None:
        """Carry it."""
        super().__init__()
        self.said = said


class ClassApp(ConfinedApp):
    """One learner's, in a process of its own on the server."""

    CSS = "ToastRack { margin-bottom: 2; }"  # above the notice and the keys

    def __init__(self, link: Link, welcome: Welcome, *, ascii_only: bool) -> None:
        """Go on where `welcome` says."""
        self._keeper_of_class = ClassKeeper(link, welcome)
        super().__init__(self._keeper_of_class.rejoin, keeper=self._keeper_of_class, ascii_only=ascii_only)
        self.link, self.welcome = link, welcome
        self.exports = ClassExports(link, welcome, self.post_message)
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
        """Listen to the server, too; Textual calls the base classes' handlers itself."""
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


def run(line: socket.socket) -> int:
    """Run a learner's app; gives the exit status."""
    link = Link(line, _end_soon)
    try:
        welcome = link.welcome()
    except ConnectionError:
        return 1
    know_escape_soon()
    app = ClassApp(link, welcome, ascii_only=not terminal_speaks_utf8())
    app.run()
    for text in goodbye(welcome, app.farewell):
        print(text, flush=True)
    return app.return_code or 0


def _end_soon() -> None:
    """See to it that nobody computes on for a server that is gone."""
    last = Timer(LAST, os._exit, (1,))
    last.daemon = True
    last.start()


def goodbye(welcome: Welcome, farewell: str = "") -> Iterable[str]:
    """Say how to come back, and before that why the server ended this, where it did."""
    again = f" with: {welcome.again}" if welcome.again else ""
    yield farewell or f"Goodbye, {welcome.name}. Nothing is lost: log in again{again}"
    if welcome.resume_code:
        yield f"Your resume code: {welcome.resume_code}"
