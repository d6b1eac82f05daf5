"""Parsers of `gradstep learn` and `gradstep lesson`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from gradstep_tui.commands.parsers import Parser, add_drawing

LEARN: Final = "gradstep learn"
LESSON: Final = "gradstep lesson"

_CHECK_CODES: Final = """\
exit codes:
  0   the lesson is in order
  1   the output could not be written
  2   something is wrong in it: each line names the file and the line"""


def learn_parser() -> Parser:
    """Return the parser for `gradstep learn`."""
    parser = Parser(
        prog=LEARN,
        description="List the lessons with what you have done in them, or take one, beside the bench.",
        allow_abbrev=False,
    )
    parser.add_argument("lesson", nargs="?", help="a lesson, e.g. old-plus-new (default: list all of them)")
    parser.add_argument(
        "--reset", action="store_true", help="forget what was done in the lesson, or in all; asks first"
    )
    parser.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    add_drawing(parser)
    return parser


def lesson_parser() -> Parser:
    """Return the parser for `gradstep lesson`."""
    parser = Parser(
        prog=LESSON,
        description="Write lessons: one Markdown file each. See `gradstep help writing-lessons`.",
        allow_abbrev=False,
    )
    kinds = parser.add_subparsers(
        dest="what", metavar="new | check | try", parser_class=Parser, required=True
    )
    new = kinds.add_parser(
        "new", help="write a new lesson file with comments", description="Write a new lesson file."
    )
    check = kinds.add_parser(
        "check",
        help="say whether a lesson is in order",
        description="Take a lesson by its solutions: nothing may be done at the start, and everything at the "
        "end; truth and slips of each prediction are distinct; the texts fit 80x24.",
        epilog=_CHECK_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trial = kinds.add_parser(
        "try", help="take a lesson file", description="Take a lesson file as a learner would."
    )
    for each in (new, check, trial):
        each.add_argument("file", type=Path, help="a lesson file, e.g. my-lesson.md")
    add_drawing(trial)
    return parser
