"""The `gradstep` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from engine import problems
from engine.actions import learning_rate_from
from engine.errors import BadInput
from tui.ascii import terminal_speaks_utf8

if TYPE_CHECKING:
    from engine.session import Session

HEADLESS = (
    "gradstep: needs a terminal on standard input and output; "
    "without one, use it from Python: session = Session(problems.load('crops')), see the README"
)
LARGEST_SEED = 2**64 - 1
"""What `torch.manual_seed` takes at the most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0, or 2 where the arguments or the terminal are wrong."""
    options = _parser().parse_args(arguments)
    try:
        problems.path_of(options.problem)
    except BadInput as error:
        return _complain(str(error))
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        print(HEADLESS, file=sys.stderr)
        return 2
    # Textual draws on standard error, which may be a file; standard output was just seen to be a terminal.
    sys.__stderr__ = sys.__stdout__  # type: ignore[misc]
    from tui.app import GradstepApp
    from tui.escape import know_escape_soon

    know_escape_soon()
    ascii_only = options.ascii or not terminal_speaks_utf8()
    app = GradstepApp(partial(make_session, options.problem, options.seed, options.lr), ascii_only=ascii_only)
    app.run()
    return app.return_code or 0


def make_session(problem: str, seed: int | None, rate: float | None) -> Session:
    """Load PyTorch and start a session of a built-in problem."""
    from engine.session import Session

    return Session(problems.load(problem, seed), rate)


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_complain(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="gradstep",
        description="Gradient descent one line at a time, and PyTorch's backward pass one node at a time.",
        allow_abbrev=False,
    )
    parser.add_argument("problem", nargs="?", default="crops", help="what to train (default: crops)")
    parser.add_argument("--version", action="version", version=f"gradstep {version('gradstep')}")
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="random start values instead of the problem's own"
    )
    parser.add_argument("--lr", type=_rate, metavar="X", help="learning rate (default: the problem's own)")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    return parser


def _rate(text: str) -> float:
    try:
        return learning_rate_from(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seed(text: str) -> int:
    short = text if len(text) <= 40 else f"{text[:40]}..."
    if not (text.isascii() and text.isdigit()) or short != text or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(
            f"{short!r} is no seed: type a whole number from 0 to {LARGEST_SEED}"
        )
    return int(text)


def _complain(message: str) -> int:
    line = " ".join(message.split())
    print(f"gradstep: {line} (gradstep --help lists the options)", file=sys.stderr)
    return 2
