"""Runs plain mode on standard input and output, which may be a terminal, a pipe or a file."""

from __future__ import annotations

import os
import select
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import complain_of
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.session.script_start import told_while_running

if TYPE_CHECKING:
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.courses.lesson_taking import LessonTaking
    from gradstep_tui.session.autosave import Autosave

PROMPT: Final = "gradstep> "
PLAIN: Final = "gradstep --plain"
INTERRUPTED: Final = 130
"""Exit code after ctrl+c."""

TYPED_AHEAD: Final = 1_000
"""Bytes of commands that may wait in a terminal; more were pasted, and would be executed for minutes."""

PAUSE: Final = 0.1
"""Seconds without input after which a paste is over."""

PASTED: Final = "{:,} characters were pasted and dropped: for long input use `gradstep --plain < FILE`"

INCAPABLE: Final = ("", "dumb", "unknown")
"""Values of TERM for terminals that can only show lines of text."""


def talk(
    make_session: Callable[[], Session],
    *,
    autosave: Autosave | None = None,
    ascii_only: bool = False,
    runs: str = "",
    own: Start | None = None,
    lesson: tuple[LessonTaking | None, LessonProgress | None] = (None, None),
) -> int:
    """Run plain mode for the session that `make_session` makes, and return the exit code.

    It ends after `quit`, at the end of the input, or at ctrl+c while nothing runs.

    Args:
        make_session: Makes the session.
        autosave: Saves the session, and may offer an earlier one; None to save nothing.
        ascii_only: Whether to write ASCII characters only.
        runs: Words for the script that runs until there is a session; empty if none does.
        own: Start of the learner's own file that was trained last; None if there is none.
        lesson: Lesson whose session is made, or None, and what keeps progress in lessons, or None.
    """
    _prepare_streams(ascii_only)
    try:
        say("gradstep in plain mode. PyTorch is starting.")
        # Print to the real standard output: while an action runs, `sys.stdout` captures the script's output.
        tell = partial(print, file=sys.stdout, flush=True)
        with told_while_running(runs):
            session = make_session()
        conversation = Conversation(session, tell, autosave, own, *lesson)
        conversation.greet()
        for line in lines():
            if not conversation.answer(line):
                break
    except EngineError as error:  # there is no session
        return complain_of(error)
    except KeyboardInterrupt:
        with suppress(OSError):
            say("")  # so that the shell's prompt is on a line of its own
        return INTERRUPTED
    except OSError as error:
        return stop_writing(error, PLAIN)
    return 0


def say(text: str) -> None:
    """Write a line and flush it, so that a reader at the other end of a pipe receives it."""
    print(text, flush=True)


def lines() -> Iterator[str]:
    """Yield the lines of the input, with a prompt if it comes from a terminal."""
    if sys.stdin is None:  # closed before the start
        return
    typed = sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()
    if typed:
        _edit_lines()
    while line := _line(typed):
        yield line


def _line(typed: bool) -> str:
    """Return the next line with its line end; empty at the end of the input."""
    try:
        if typed and (pasted := _drop_paste()):
            say(PASTED.format(pasted))
        return f"{input(PROMPT)}\n" if typed else sys.stdin.readline()
    except EOFError:
        say("")  # so that the shell's prompt is on a line of its own
        return ""
    except OSError:  # the terminal was closed
        return ""


def _drop_paste() -> int:
    """Drop what waits in the terminal if it is more than commands that were typed ahead.

    Returns:
        Number of dropped bytes; 0 if nothing was dropped.
    """
    try:
        import fcntl
        import termios
    except ImportError:  # Windows
        return 0
    try:
        dropped, number = 0, sys.stdin.fileno()
    except OSError:  # a stream that only looks like a terminal
        return 0
    ready = True
    while ready:
        waiting = struct.unpack("i", fcntl.ioctl(number, termios.FIONREAD, bytes(4)))[0]
        if not waiting or (waiting < TYPED_AHEAD and not dropped):
            break
        termios.tcflush(number, termios.TCIFLUSH)
        dropped += waiting
        # The terminal writes the rest as soon as there is room.
        ready = bool(select.select([number], [], [], PAUSE)[0])
    return dropped


def _edit_lines(environ: Mapping[str, str] = os.environ) -> None:
    """Enable line editing and history if the terminal is capable, without further control sequences."""
    if environ.get("TERM", "dumb") in INCAPABLE:
        return
    try:
        import readline
    except ImportError:  # Windows, whose console has line editing of its own
        return
    for setting in ("enable-bracketed-paste", "enable-meta-key"):
        readline.parse_and_bind(f"set {setting} off")


def _prepare_streams(ascii_only: bool) -> None:
    """Make standard input accept any bytes, and standard output escape characters that it cannot show."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if isinstance(sys.stdout, TextIOWrapper):
        encoding = "ascii" if ascii_only else sys.stdout.encoding
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
