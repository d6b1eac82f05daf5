"""The `gradstep` command."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from engine import problems
from engine.errors import BadInput
from engine.start import Start
from tui.arguments import RUN, bench_parser, complain, run_parser

HEADLESS = (
    "gradstep: needs a terminal on standard input and output; without one, use `gradstep --plain`, "
    "`gradstep run`, or Python: session = Session(problems.load('crops')), see the README"
)

DUMB = "gradstep: this terminal cannot draw (TERM=dumb), so this is `gradstep --plain`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0, or 2 where the arguments or the terminal are wrong.

    `gradstep run` has more of them, which its help lists.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] == "run":
        return _run(run_parser().parse_args(given[1:]))
    options = bench_parser().parse_args(given)
    if options.problem == "run":
        return complain(f"options come after the word run: {RUN} [options] [problem]")
    try:
        problems.path_of(options.problem)
    except BadInput as error:
        return complain(str(error))
    if options.plain:
        return _plain(options)
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        print(HEADLESS, file=sys.stderr)
        return 2
    if os.environ.get("TERM") == "dumb":
        print(DUMB, file=sys.stderr)
        return _plain(options)
    return _bench(options)


def _plain(options: Namespace) -> int:
    from tui.plain.talk import talk

    return talk(Start(options.problem, options.seed, options.lr).session, ascii_only=options.ascii)


def _bench(options: Namespace) -> int:
    # Textual draws on standard error, which may be a file; standard output was just seen to be a terminal.
    sys.__stderr__ = sys.__stdout__  # type: ignore[misc]
    from tui.app import GradstepApp
    from tui.ascii import terminal_speaks_utf8
    from tui.escape import know_escape_soon

    know_escape_soon()
    ascii_only = options.ascii or not terminal_speaks_utf8()
    app = GradstepApp(Start(options.problem, options.seed, options.lr).session, ascii_only=ascii_only)
    app.run()
    return app.return_code or 0


def _run(options: Namespace) -> int:
    from tui import headless
    from tui.json_lines import json_line
    from tui.printed import printed

    session = Start(options.problem, options.seed, options.lr).session
    actions = headless.plan(options.epochs, options.zeroing)
    return headless.run(session, actions, json_line if options.json else printed)
