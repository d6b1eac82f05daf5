"""`gradstep help`: the manual in a terminal."""

from __future__ import annotations

import os
import pydoc
import sys
from collections.abc import Sequence

from gradstep.errors import BadInput
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import HELP, complain, help_parser
from gradstep_tui.manual.pages import INDEX, page
from gradstep_tui.manual.search import topic_named
from gradstep_tui.terminal.encoding import terminal_speaks_utf8
from gradstep_tui.text.lookalikes import TABLE


def show_help(arguments: Sequence[str]) -> int:
    """Show a page of the manual, by default the list of topics, and return the exit code.

    A terminal gets a pager, anything else plain text.
    """
    from gradstep_tui.manual.plain_text import plain_text

    wanted = " ".join(help_parser().parse_args(arguments).topic)
    try:
        topic = topic_named(wanted) if wanted else INDEX
    except BadInput as error:
        return complain(f"{error} `{HELP}` lists the topics.", HELP, hint=False)
    text = plain_text(page(topic))
    try:
        _show(text if _writes_unicode() else text.translate(TABLE).encode("ascii", "replace").decode())
    except OSError as error:
        return stop_writing(error, HELP)
    return 0


def _writes_unicode() -> bool:
    """Whether standard output takes all characters: a terminal by its locale, a pipe by its encoding."""
    if sys.stdout.isatty():
        return terminal_speaks_utf8()
    return (sys.stdout.encoding or "").replace("-", "").casefold() == "utf8"


def _show(text: str) -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        pydoc.pager(text)
    else:
        print(text, end="", flush=True)
