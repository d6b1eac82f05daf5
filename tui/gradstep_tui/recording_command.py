"""`gradstep open`: a recording of another program, on the bench or in plain mode."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import MissingName
from gradstep_tui.commands.parsers import OPEN, complain_of, open_parser
from gradstep_tui.session.jobs import leave_stuck_jobs
from gradstep_tui.terminal.capabilities import capabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradstep.session import Session
    from gradstep_tui.terminal.crash_guard import CrashGuard

HEADLESS: Final = (
    f"{OPEN}: this needs a terminal on standard input and output; without one, use `{OPEN} FILE --plain`"
)
DUMB: Final = f"{OPEN}: this terminal cannot draw (TERM={{}}), so the recording opens in plain mode"


def open_file(arguments: Sequence[str], *, ends: bool) -> int:
    """Show a recording until it is left, and return the exit code: 2 if the file cannot be read.

    Args:
        arguments: Arguments after `gradstep open`.
        ends: Whether the process ends when the command has ended.
    """
    options = open_parser().parse_args(arguments)
    in_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    if not options.plain and not in_terminal:
        print(HEADLESS, file=sys.stderr)
        return 2
    plain = options.plain or not capabilities().moves_cursor
    if plain and not options.plain:
        print(DUMB.format(os.environ.get("TERM", "")), file=sys.stderr)
    from gradstep_tui.terminal.crash_guard import guarded_terminal
    from gradstep_tui.terminal.guard_process import LEAVING

    with guarded_terminal(ends) as guard:
        try:
            show = _converse if plain else _draw
            code = show(lambda: _session(options.file, guard), options.ascii, guard)
        except MissingName as error:  # Textual or PyTorch is of a version that gradstep cannot work with
            code = complain_of(error, OPEN, hint=False)
        finally:
            guard.hold_ending()
            guard.tell(LEAVING)
        code = guard.code(code)
        leave_stuck_jobs(code)
    return code


def _session(path: Path, guard: CrashGuard) -> Session:
    """Return the session of a recording; the import of PyTorch takes a second."""
    from gradstep.recordings.recording_file import read_recording
    from gradstep.recordings.recording_session import open_recording
    from gradstep_tui.terminal.guard_process import READY

    session = open_recording(read_recording(path))
    guard.tell(READY)
    return session


def _converse(make_session: Callable[[], Session], ascii_only: bool, guard: CrashGuard) -> int:
    from gradstep_tui.plain.talk import INTERRUPTED, talk
    from gradstep_tui.terminal.guard_process import TYPED

    guard.tell(TYPED)
    try:
        code = talk(make_session, ascii_only=ascii_only)
        guard.hold_ending()
    except KeyboardInterrupt:  # between the two
        code = INTERRUPTED
    return code


def _draw(make_session: Callable[[], Session], ascii_only: bool, guard: CrashGuard) -> int:
    guard.hold_ending()
    from gradstep_tui.keymap import config_file, read_keymap
    from gradstep_tui.recording_app import RecordingApp
    from gradstep_tui.session.jobs import LEAVING, wait_for_jobs
    from gradstep_tui.session.preferences import Preferences
    from gradstep_tui.terminal import guard_process
    from gradstep_tui.terminal.encoding import terminal_speaks_utf8
    from gradstep_tui.terminal.redirected_output import terminal_for_the_screen
    from gradstep_tui.terminal.textual_driver import prepare_terminal

    ascii_only = ascii_only or not terminal_speaks_utf8()
    with terminal_for_the_screen():
        prepare_terminal(guard)
        app = RecordingApp(make_session, ascii_only=ascii_only, preferences=Preferences())
        app.choose_keys(read_keymap(config_file()))
        app.run()
        guard.tell(guard_process.LEAVING)
        wait_for_jobs(LEAVING)
    return app.return_code or 0
