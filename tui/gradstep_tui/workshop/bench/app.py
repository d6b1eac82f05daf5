"""The app of one learner or instructor: the bench, and what the class adds to it."""

from __future__ import annotations

import io
import os
import socket
import traceback
from collections.abc import Iterable
from functools import partial
from threading import Timer
from typing import Final

from rich.console import Console
from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from gradstep_tui.session.jobs import LEAVING, wait_for_jobs
from gradstep_tui.terminal.crash_guard import CrashGuard
from gradstep_tui.terminal.encoding import terminal_speaks_utf8
from gradstep_tui.terminal.terminal_signals import installed_signals
from gradstep_tui.terminal.textual_driver import CLOSED, prepare_terminal
from gradstep_tui.workshop.bench.sandboxed_app import SandboxedApp
from gradstep_tui.workshop.bench.screens.bench import WorkshopBench
from gradstep_tui.workshop.bench.screens.board import KEYS as BOARD_KEYS
from gradstep_tui.workshop.bench.screens.board import BoardScreen
from gradstep_tui.workshop.bench.screens.instructor import InstructorBench
from gradstep_tui.workshop.bench.screens.learner import LearnerBench
from gradstep_tui.workshop.bench.session.autosave import ServerAutosave, ServerExports
from gradstep_tui.workshop.bench.session.server_link import ServerLink
from gradstep_tui.workshop.wire.farewells import FAREWELLS
from gradstep_tui.workshop.wire.messages import LONGEST_TRACEBACK, Crashed, Stop, ToBench, Welcome
from gradstep_tui.workshop.wire.reasons import StopReason

CRASHED: Final = 3
"""Exit status of a bench that ends because of an error; the server says so to the learner."""

GRACE: Final = 5.0
"""Seconds for an orderly exit after the server has gone away."""


class MessageReceived(Message):
    """The server has sent a message."""

    def __init__(self, content: ToBench) -> None:
        """Carry the server's message."""
        super().__init__()
        self.content = content


class WorkshopApp(SandboxedApp):
    """The app of one participant, in a process of its own on the server."""

    def __init__(self, link: ServerLink, welcome: Welcome, *, ascii_only: bool) -> None:
        """Continue the session that `welcome` describes."""
        self._server_autosave = ServerAutosave(link, welcome)
        super().__init__(self._server_autosave.rejoin, autosave=self._server_autosave, ascii_only=ascii_only)
        self.link, self.welcome = link, welcome
        self.exports = ServerExports(link, welcome, self.post_message)
        self.stop_reason: StopReason | None = None
        """Reason for which the server ended this bench; None if the learner left."""

    @property
    def bench(self) -> WorkshopBench:
        """The participant's own bench, below all other screens."""
        return next(screen for screen in self.screen_stack if isinstance(screen, WorkshopBench))

    @property
    def bench_trouble(self) -> str:
        """Sentence that says why the session is not saved at the moment; empty if it is."""
        return self._server_autosave.trouble

    def get_default_screen(self) -> Screen[None]:
        """Return the bench for the participant's role."""
        kind = InstructorBench if self.welcome.role == "instructor" else LearnerBench
        return kind(self._server_autosave, self.link, self.welcome)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the commands of the palette, with every key of the board if it is on top."""
        yield from super().get_system_commands(screen)
        if isinstance(screen, BoardScreen):
            for key in BOARD_KEYS:
                run = partial(screen.run_action, key.id)
                yield SystemCommand(f"{key.label} ({key.shown})", key.tooltip, run)

    def on_mount(self) -> None:
        """Listen to the server. Textual calls the handlers of the base classes as well."""
        self.link.listen(self._post)

    def _post(self, content: ToBench) -> None:
        self.post_message(MessageReceived(content))

    def on_message_received(self, message: MessageReceived) -> None:
        """Exit if the server says so; pass any other message to the bench."""
        if isinstance(message.content, Stop):
            self.stop_reason = message.content.reason
            self.exit()
        else:
            self.bench.hear(message.content)


def run(line: socket.socket) -> int:
    """Run a participant's app on a socket to the server; return the exit status."""
    link = ServerLink(line, _exit_soon)
    try:
        welcome = link.welcome()
    except ConnectionError:
        return 1
    with installed_signals(at_end=True) as signals:
        guard = CrashGuard(signals=signals)
        guard.hold_ending()
        return guard.code(_run_app(link, welcome, guard))


def _run_app(link: ServerLink, welcome: Welcome, guard: CrashGuard) -> int:
    prepare_terminal(guard)
    said = io.StringIO()
    try:
        app = WorkshopApp(link, welcome, ascii_only=not terminal_speaks_utf8())
        # The server logs a crash: its traceback has paths of the server, and is not for the learner.
        app.error_console = Console(file=said, width=120, color_system=None)
        app.run()
        wait_for_jobs(LEAVING)
    except Exception:
        said.write(traceback.format_exc())
    if f"EOFError: {CLOSED}" in said.getvalue():
        return CRASHED  # the learner's line has dropped, which the server knows
    if said.getvalue():
        link.send(Crashed(said.getvalue()[-LONGEST_TRACEBACK:]))
        return CRASHED
    for text in goodbye(welcome, app.stop_reason, app.bench_trouble):
        print(text, flush=True)
    return app.return_code or 0


def _exit_soon() -> None:
    """Exit after a few seconds, whatever is running: the server has gone away."""
    timer = Timer(GRACE, os._exit, (1,))
    timer.daemon = True
    timer.start()


def goodbye(welcome: Welcome, stop_reason: StopReason | None = None, trouble: str = "") -> Iterable[str]:
    """Return the last lines on the terminal: why the bench ended, or how to log in again.

    Args:
        welcome: The server's first message.
        stop_reason: Reason for which the server ended the bench; None if the learner left.
        trouble: Sentence that says why the session is not saved; empty if it is.
    """
    saved = f"Your last steps may be lost: {trouble}. Log" if trouble else "Nothing is lost: log"
    if stop_reason is not None:
        yield FAREWELLS[stop_reason]
    elif welcome.again:
        yield f"Goodbye, {welcome.name}. {saved} in again with: {welcome.again}"
    else:
        yield f"Goodbye, {welcome.name}. {saved} in again to continue."
    if welcome.resume_code:
        yield f"Your resume code: {welcome.resume_code}"
