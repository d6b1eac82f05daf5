"""Parsers of the command line of `gradstep` and its subcommands, and the line that reports a wrong one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final, NoReturn

from gradstep._version import __version__
from gradstep.actions import epochs_from
from gradstep.errors import BadInput, EngineError
from gradstep.scripts.script_errors import ScriptError
from gradstep_tui.commands.option_hints import with_options
from gradstep_tui.commands.start_options import add_problem, add_seed, add_source, add_start

RUN: Final = "gradstep run"
RESUME: Final = "gradstep resume"
REPLAY: Final = "gradstep replay"
OPEN: Final = "gradstep open"
EXPORT: Final = "gradstep export"
LIST: Final = "gradstep list"
CHECK: Final = "gradstep check"
SESSIONS: Final = "gradstep sessions"
HELP: Final = "gradstep help"

USES: Final = (
    "gradstep [options] [problem]",
    "gradstep [options] script [its own arguments]",
    "gradstep run [options] [problem]",
    "gradstep resume [options] [file]",
    "gradstep replay [options] file",
    "gradstep open [options] file",
    "gradstep export [options] file [to]",
    "gradstep list",
    "gradstep check [options] script [its own arguments]",
    "gradstep sessions [show | delete | prune]",
    "gradstep learn [options] [lesson]",
    "gradstep lesson new | check | try file",
    "gradstep serve [options]",
    "gradstep help [topic]",
)

_RUN_SCRIPT: Final = "gradstep run [options] script [its own arguments]"

_RUN_DESCRIPTION: Final = """\
Train without a screen and print the start values, the results of the first epoch,
statement by statement (forward, backward, update, zero), then the loss and the
predictions after N more epochs, N + 1 in all."""

_RUN_CODES: Final = """\
exit codes:
  0   trained to the end, or the program that reads the output ended first, e.g. `head`
  1   the output could not be written
  2   a wrong option or value
  3   diverged: the loss became inf or nan; standard error says in which epoch
  130 stopped by ctrl+c"""


_REPLAY_CODES: Final = """\
exit codes of --to-end:
  0   every number is identical to the recorded one
  1   a number is different, or the output could not be written
  2   the file cannot be read"""


_CHECK_DESCRIPTION: Final = """\
Run a script as far as its training loop, look at a few rounds of it, and say what
is odd: gradients that are never zeroed, parameters that get none, shapes that
broadcast, and more. Of a script without a loop, or a built-in problem, show what
gradstep finds in it."""

_CHECK_CODES: Final = """\
exit codes:
  0   nothing is odd, and it can be trained
  1   something is odd, or the output could not be written
  2   it cannot be trained, or an option is wrong
  130 stopped by ctrl+c"""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line."""

    hint: str = ""
    """End of the report if the value of an option is wrong; empty for none."""

    def error(self, message: str) -> NoReturn:
        """Report an error and exit with code 2."""
        hint = self.hint if message.startswith("argument --") else ""
        sys.exit(complain(f"{message}{hint}", self.prog))


def complain(message: str, command: str = "gradstep", *, hint: bool = True) -> int:
    """Print an error in one line and return the exit code 2.

    Args:
        message: Description of the error.
        command: Command that the line names.
        hint: Whether to point to `--help`.
    """
    line = " ".join(message.split())
    # A terminal would obey control characters, e.g. of a file's name.
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    more = f" ({command} --help lists the options)" if hint else ""
    print(f"{command}: {line}{more}", file=sys.stderr)
    return 2


def complain_of(error: EngineError, command: str = "gradstep", *, hint: bool = True) -> int:
    """Print the engine's error and return the exit code 2; a traceback of a script takes several lines.

    Args:
        error: The error.
        command: Command that the line names.
        hint: Whether to point to `--help`.
    """
    message = with_options(error)
    if not isinstance(error, ScriptError) or "\n" not in message:
        return complain(message, command, hint=hint)
    print(f"{command}: {message}", file=sys.stderr)
    return 2


def bench_parser(*, with_problem: bool = True) -> Parser:
    """Return the parser for `gradstep` without a subcommand, or without the argument for the problem."""
    parser = Parser(
        prog="gradstep",
        usage="\n       ".join(USES),
        description="Gradient descent one line at a time, and PyTorch's backward pass one node at a time.",
        epilog="""`gradstep run` trains without a screen, `gradstep resume` continues a saved session,
            `gradstep replay` steps through a saved session, `gradstep open` steps through a recording of
            another program, `gradstep export` writes it as a script and a
            notebook, `gradstep list` lists the built-in problems, `gradstep check` shows what gradstep
            finds in a script, and `gradstep serve` serves a class over SSH. Each has its own options: see
            `gradstep run --help`. `gradstep help` shows the manual.""",
        allow_abbrev=False,
    )
    if with_problem:
        add_problem(parser)
    else:
        add_source(parser)
    parser.add_argument("--version", action="version", version=f"gradstep {__version__}")
    parser.add_argument(
        "--print-completion",
        choices=("bash", "zsh", "tcsh"),
        help="print a script that completes this command in a shell",
    )
    add_start(parser)
    parser.add_argument("--save", type=Path, metavar="FILE", help="save the session in FILE, a new file")
    add_drawing(parser)
    return parser


def resume_parser() -> Parser:
    """Return the parser for `gradstep resume`."""
    parser = Parser(
        prog=RESUME,
        description="Continue a saved session, with identical numbers and everything that can be undone.",
        allow_abbrev=False,
    )
    parser.add_argument("file", nargs="?", type=Path, help="a session's file or name (default: the latest)")
    add_drawing(parser)
    return parser


def replay_parser() -> Parser:
    """Return the parser for `gradstep replay`."""
    parser = Parser(
        prog=REPLAY,
        description="Replay a saved session and step through it; the file is not changed.",
        epilog=_REPLAY_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a session file")
    parser.add_argument(
        "--to-end",
        action="store_true",
        help="replay the whole session without a screen, and print the final numbers",
    )
    add_drawing(parser)
    return parser


def open_parser() -> Parser:
    """Return the parser for `gradstep open`."""
    parser = Parser(
        prog=OPEN,
        description="""Step through a recording that gradstep.record has written in another program: forwards
            and backwards, with explanations, ledger and pictures, but without training.""",
        epilog="exit codes: 0 the recording was left, 2 it cannot be read",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a recording, e.g. run.gradstep")
    _add_looks(parser)
    return parser


def export_parser() -> Parser:
    """Return the parser for `gradstep export`."""
    parser = Parser(
        prog=EXPORT,
        description="""Write a saved session as a plain PyTorch script and a notebook, and its loss history as
            CSV. The script and the notebook run without gradstep and assert every number that it showed.""",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a session file")
    parser.add_argument(
        "to",
        nargs="?",
        default=".",
        help="a folder, or the files' common name without an ending (default: the problem's name, here)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist already")
    return parser


def _add_looks(parser: Parser) -> None:
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="use plain mode: typed commands and lines of text, for screen readers, dumb terminals and pipes",
    )


def add_drawing(parser: Parser) -> None:
    """Add the options for how a session is shown, and how much of a pass is kept."""
    _add_looks(parser)
    parser.add_argument(
        "--trace-limit",
        type=_megabytes,
        metavar="MB",
        help="megabytes for the tensors recorded in one backward pass; beyond that, summaries are kept "
        "(default: 1000)",
    )


def _megabytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number of megabytes, e.g. 1000")
    return int(text) * 1_000_000


def run_parser() -> Parser:
    """Return the parser for `gradstep run`."""
    parser = Parser(
        prog=RUN,
        usage="\n       ".join(use for use in (*USES, _RUN_SCRIPT) if use.startswith(f"{RUN} ")),
        description=_RUN_DESCRIPTION,
        epilog=_RUN_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_problem(parser)
    parser.add_argument(
        "--epochs",
        type=_epochs,
        default=100,
        metavar="N",
        help="epochs after the first epoch (default: 100)",
    )
    parser.add_argument(
        "--no-zero", dest="zeroing", action="store_false", help="train without zeroing the gradients"
    )
    add_start(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per action, with exact values"
    )
    return parser


def sessions_parser() -> Parser:
    """Return the parser for `gradstep sessions`."""
    parser = Parser(
        prog=SESSIONS,
        description="List the saved sessions, the latest first: when each began, its size, how it was left.",
        epilog="No session is ever deleted unasked.",
        allow_abbrev=False,
    )
    kinds = parser.add_subparsers(dest="what", metavar="show | delete | prune", parser_class=Parser)
    named = "a session's name as listed, or the beginning of it"
    show = kinds.add_parser("show", help="show one session", description="Show one saved session.")
    show.add_argument("name", help=named)
    delete = kinds.add_parser("delete", help="delete sessions", description="Delete saved sessions.")
    delete.add_argument("names", nargs="+", metavar="name", help=named)
    oldest = "Delete the oldest sessions, until no more than 500 MB and a number of sessions are left"
    prune = kinds.add_parser("prune", help="delete the oldest sessions", description=f"{oldest}.")
    prune.add_argument(
        "--keep", type=_kept, default=200, metavar="N", help="sessions that stay (default: 200)"
    )
    for each in (delete, prune):
        each.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _kept(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of sessions: use 1 or more")
    return int(text)


def list_parser() -> Parser:
    """Return the parser for `gradstep list`."""
    return Parser(prog=LIST, description="List the built-in problems.", allow_abbrev=False)


def help_parser() -> Parser:
    """Return the parser for `gradstep help`."""
    parser = Parser(
        prog=HELP,
        description="Show a page of the manual; without a topic, list the topics.",
        allow_abbrev=False,
    )
    parser.add_argument("topic", nargs="*", help="a page, e.g. time-travel (default: the list of topics)")
    return parser


def check_parser() -> Parser:
    """Return the parser for `gradstep check`."""
    parser = Parser(
        prog=CHECK,
        description=_CHECK_DESCRIPTION,
        epilog=_CHECK_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "problem",
        metavar="script",
        nargs="?",
        help="a Python file, a notebook, or a built-in problem's name; the script's own arguments follow it, "
        "after -- if gradstep has the same option",
    )
    add_source(parser)
    add_seed(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(lr=None, optimizer=None, batches=None)
    return parser


def _epochs(text: str) -> int:
    try:
        return epochs_from(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
