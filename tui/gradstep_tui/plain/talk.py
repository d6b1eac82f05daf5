"""The conversation over standard input and output: a terminal, a pipe, or a file."""

from __future__ import annotations

import os
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

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep_tui.session.autosave import Keeper

PROMPT: Final = "gradstep> "
PLAIN: Final = "gradstep --plain"
INTERRUPTED: Final = 130
"""Exit code."""

INCAPABLE: Final = ("", "dumb", "unknown")
"""Values of TERM with which a terminal can do no more than show lines."""


def talk(
    make_session: Callable[[], Session], *, keeper: Keeper | None = None, ascii_only: bool = False
) -> int:
    """Hold the conversation about the session that `make_session` makes; gives the exit code.

    It ends with `quit` or the end of input, and by ctrl+c while nothing runs.

    Args:
        make_session: Makes it.
        keeper: What saves it, and may have an earlier one to offer; None where nothing does.
        ascii_only: Whether to write ASCII characters only.
    """
    _prepare_streams(ascii_only)
    try:
        say("gradstep, told line by line. PyTorch is starting.")
        # Not wherever standard output is: while an action runs, that takes what the script prints.
        tell = partial(print, file=sys.stdout, flush=True)
        conversation = Conversation(make_session(), tell, keeper)
        conversation.greet()
        for line in lines():
            if not conversation.answer(line):
                break
    except EngineError as error:  # there is nothing to train
        return complain_of(error)
    except KeyboardInterrupt:
        with suppress(OSError):
            say("")  # as at the end of input
        return INTERRUPTED
    except OSError as error:
        return stop_writing(error, PLAIN)
    return 0


def say(text: str) -> None:
    """Write a line at once, so that a reader at the other end of a pipe has it."""
    print(text, flush=True)


def lines() -> Iterator[str]:
    """Give what is typed, line by line; with a prompt where a person types it."""
    if sys.stdin is None:  # closed before the start
        return
    typed = sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()
    if typed:
        _edit_lines()
    while line := _line(typed):
        yield line


def _line(typed: bool) -> str:
    """Read a line with its end; empty where the input ends."""
    try:
        return f"{input(PROMPT)}\n" if typed else sys.stdin.readline()
    except EOFError:
        say("")  # the shell's prompt belongs on a line of its own
        return ""
    except OSError:  # the terminal is gone
        return ""


def _edit_lines(environ: Mapping[str, str] = os.environ) -> None:
    """Let lines be edited and repeated, where the terminal can; nothing else is to be written to it."""
    if environ.get("TERM", "dumb") in INCAPABLE:
        return
    try:
        import readline
    except ImportError:  # Windows, whose console does it by itself
        return
    for setting in ("enable-bracketed-paste", "enable-meta-key"):
        readline.parse_and_bind(f"set {setting} off")


def _prepare_streams(ascii_only: bool) -> None:
    """Take any bytes that are typed, and write any text, escaped where the terminal cannot show it."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if isinstance(sys.stdout, TextIOWrapper):
        encoding = "ascii" if ascii_only else sys.stdout.encoding
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
