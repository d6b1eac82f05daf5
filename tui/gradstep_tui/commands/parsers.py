"""What may follow `gradstep` and `gradstep run`, and the one line that tells what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final, NoReturn

from gradstep._version import __version__
from gradstep.actions import epochs_from
from gradstep.errors import BadInput, EngineError
from gradstep.scripts.script_errors import ScriptError
from gradstep_tui.commands.start_options import add_problem, add_seed, add_source, add_start

RUN: Final = "gradstep run"
RESUME: Final = "gradstep resume"
REPLAY: Final = "gradstep replay"
EXPORT: Final = "gradstep export"
LIST: Final = "gradstep list"
CHECK: Final = "gradstep check"

USES: Final = (
    "gradstep [options] [problem]",
    "gradstep run [options] [problem]",
    "gradstep resume [options] [file]",
    "gradstep replay [options] file",
    "gradstep export [options] file [to]",
    "gradstep list",
    "gradstep check [options] script",
    "gradstep serve [options]",
)

_RUN_DESCRIPTION: Final = """\
Train without a screen and print what the notebook prints: the start, the first
step by hand (forward, backward, update, zero), then the loss and the predictions
after N more epochs, N + 1 in all."""

_RUN_CODES: Final = """\
exit codes:
  0   trained to the end, or nobody reads the output any more
  1   the output could not be written
  2   a wrong option or value
  3   diverged: the loss became inf or nan; the epoch is on standard error
  130 stopped by ctrl+c"""


_REPLAY_CODES: Final = """\
exit codes of --to-end:
  0   every number came out as it was recorded, bit for bit
  1   other numbers came out, or the output could not be written
  2   the file cannot be read"""


class Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        sys.exit(complain(message, self.prog))


def complain(message: str, command: str = "gradstep", *, hint: bool = True) -> int:
    """Say in one line what is wrong with the arguments, or with a file; gives the exit code 2.

    Args:
        message: What is wrong.
        command: Who complains.
        hint: Whether the list of options could help.
    """
    line = " ".join(message.split())
    more = f" ({command} --help lists the options)" if hint else ""
    print(f"{command}: {line}{more}", file=sys.stderr)
    return 2


def complain_of(error: EngineError, command: str = "gradstep", *, hint: bool = True) -> int:
    """Say in one line what the engine refused; gives the exit code 2. `hint` is as for `complain`."""
    if not isinstance(error, ScriptError) or "\n" not in str(error):
        return complain(str(error), command, hint=hint)
    print(f"{command}: {error}", file=sys.stderr)
    return 2


def bench_parser() -> Parser:
    """Read what follows `gradstep`."""
    parser = Parser(
        prog="gradstep",
        usage="\n       ".join(USES),
        description="Gradient descent one line at a time, and PyTorch's backward pass one node at a time.",
        epilog="""`gradstep run` trains without a screen, `gradstep resume` goes on with a saved session,
            `gradstep replay` steps through one, `gradstep export` writes one as a script and a notebook,
            `gradstep list` names the built-in problems, `gradstep check` says what is found in a script;
            `gradstep run --help` lists its options.""",
        allow_abbrev=False,
    )
    add_problem(parser)
    parser.add_argument("--version", action="version", version=f"gradstep {__version__}")
    add_start(parser)
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="save the session in FILE, which must not be there yet"
    )
    _add_drawing(parser)
    return parser


def resume_parser() -> Parser:
    """Read what follows `gradstep resume`."""
    parser = Parser(
        prog=RESUME,
        description="Go on with a saved session: the same bits, and everything that can be undone.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", nargs="?", type=Path, help="a session file (default: the one that was saved last)"
    )
    _add_drawing(parser)
    return parser


def replay_parser() -> Parser:
    """Read what follows `gradstep replay`."""
    parser = Parser(
        prog=REPLAY,
        description="Do a saved session again, and step through it; the file stays as it is.",
        epilog=_REPLAY_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a session file")
    parser.add_argument(
        "--to-end", action="store_true", help="without a screen: do it all, and print what it came to"
    )
    _add_drawing(parser)
    return parser


def export_parser() -> Parser:
    """Read what follows `gradstep export`."""
    parser = Parser(
        prog=EXPORT,
        description="""Write a saved session as a plain PyTorch script and a notebook, which assert every
            number that was shown and run without gradstep, and its loss history as CSV.""",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a session file")
    parser.add_argument(
        "to",
        nargs="?",
        default=".",
        help="a folder, or the files' common name without its ending (default: the problem's name, here)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist already")
    return parser


def _add_drawing(parser: Parser) -> None:
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="a conversation in plain lines, without drawing: for screen readers, dumb terminals and pipes",
    )
    parser.add_argument(
        "--trace-limit",
        type=_megabytes,
        metavar="MB",
        help="megabytes that the recording of one pass may take, summaries beyond (default: 1000)",
    )


def _megabytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number of megabytes, e.g. 1000")
    return int(text) * 1_000_000


def run_parser() -> Parser:
    """Read what follows `gradstep run`."""
    parser = Parser(
        prog=RUN,
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
        help="epochs after the first step (default: 100)",
    )
    parser.add_argument(
        "--no-zero", dest="zeroing", action="store_false", help="comment zeroing out of the loop first"
    )
    add_start(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per action, with exact values"
    )
    return parser


def list_parser() -> Parser:
    """Read what follows `gradstep list`."""
    return Parser(prog=LIST, description="Name the built-in problems.", allow_abbrev=False)


def check_parser() -> Parser:
    """Read what follows `gradstep check`."""
    parser = Parser(
        prog=CHECK,
        description="Say what is found in a script, or in a built-in problem, without training it.",
        epilog="exit codes: 0 it can be trained, 1 the output could not be written, 2 it cannot be trained",
        allow_abbrev=False,
    )
    parser.add_argument(
        "problem", metavar="script", nargs="?", help="a Python file, a notebook, or a built-in problem's name"
    )
    add_source(parser)
    add_seed(parser)
    parser.set_defaults(lr=None, optimizer=None, batches=None)
    return parser


def _epochs(text: str) -> int:
    try:
        return epochs_from(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
