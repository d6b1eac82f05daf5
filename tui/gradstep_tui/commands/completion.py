"""`gradstep --print-completion SHELL`: prints a script that completes the command in a shell."""

from __future__ import annotations

import re
from argparse import Action
from collections.abc import Mapping
from typing import Any, Final

from gradstep import problems
from gradstep.lessons.lesson_library import lesson_ids
from gradstep_tui.commands.parsers import Parser, complain
from gradstep_tui.manual.pages import topics

MISSING: Final = "completion needs the package shtab: run pip install shtab"

_DESCRIBED: Final = {
    "run": "train without a screen",
    "resume": "continue a saved session",
    "replay": "step through a saved session",
    "open": "step through a recording of another program",
    "export": "write a saved session as a script, a notebook and CSV",
    "list": "list the built-in problems",
    "check": "say what gradstep finds in a script",
    "sessions": "list, show and delete saved sessions",
    "learn": "list the lessons, or take one",
    "lesson": "write, check or try a lesson file",
    "serve": "serve a class over SSH",
    "help": "show the manual",
}
"""Short text for each subcommand, for shells that show one."""

_LAST_IN_BASH: Final = re.compile(r"^complete (?=.*-F _shtab_gradstep gradstep$)", flags=re.MULTILINE)
"""The beginning of the line that tells bash of the function which completes the command."""


def print_completion(shell: str, bench: Parser, parsers: Mapping[str, Parser]) -> int:
    """Print the script for a shell, and return the exit code.

    Args:
        shell: `bash`, `zsh` or `tcsh`.
        bench: Parser of the options without a subcommand; it takes no problem.
        parsers: Parsers of the subcommands, by name.
    """
    try:
        import shtab
    except ImportError:
        return complain(MISSING, hint=False)
    script: str = shtab.complete(_whole(bench, parsers, shtab.FILE), shell)
    # If nothing else fits, the names of files do, e.g. that of a learner's script.
    print(_LAST_IN_BASH.sub("complete -o default ", script))
    return 0


def _whole(bench: Parser, parsers: Mapping[str, Parser], file: Mapping[str, object]) -> Parser:
    """Return one parser that has the subcommands, and each built-in problem as if it were one."""
    whole = Parser(prog="gradstep", add_help=False, parents=[bench])
    words = whole.add_subparsers(parser_class=Parser)
    for name, parser in parsers.items():
        for action in parser._actions:
            _know_values(action, file)
        described = _DESCRIBED.get(name, name)
        words.add_parser(name, add_help=False, parents=[parser], help=described, description=described)
    for name in problems.all_names():
        idea = problems.idea_of(name)
        words.add_parser(name, add_help=False, parents=[bench], help=idea)
    for action in whole._actions:
        _know_values(action, file)
    return whole


def _know_values(action: Action, file: Mapping[str, object]) -> None:
    """Say which values an argument takes: problems, topics, or names of files."""
    value: Any = action
    if action.dest == "topic":
        action.choices = [topic.name for topic in topics()]
    elif action.dest == "lesson":
        action.choices = lesson_ids()
    elif action.dest == "problem":
        action.choices = problems.all_names()
    elif action.metavar == "FILE" or action.dest in ("file", "to"):
        value.complete = file
