"""Options about a CSV file: the columns to train on, and how its cells are read."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path

from gradstep.errors import BadInput
from gradstep.tables.table import Table, decimal_from, encoding_from, thousands_from


def add_table(parser: ArgumentParser) -> None:
    """Add the options about a CSV file."""
    group = parser.add_argument_group(
        "options for a linear model of a CSV file (a column is given by its name or its number)"
    )
    group.add_argument(
        "--csv", type=Path, metavar="FILE", help="the file: a line of column names, then rows of numbers"
    )
    for option, metavar, words in (
        ("--target", "COLUMN", "a column to predict; repeat the option for more"),
        ("--columns", "COLUMNS", "the inputs, separated by commas (default: all other columns)"),
        ("--drop", "COLUMNS", "columns to leave out, separated by commas"),
        ("--one-hot", "COLUMNS", "columns of text: each text becomes a column of zeros and ones"),
        ("--days", "COLUMN", "a column of dates: days since the earliest; a format follows an equals sign"),
    ):
        group.add_argument(option, action="append", default=[], metavar=metavar, help=words)
    for option, words in (
        (
            "--standardize",
            "scale each input to zero mean and unit standard deviation; targets keep their units",
        ),
        ("--index", "leave out the first column, which numbers or names the rows"),
        ("--skip-incomplete", "leave out rows that lack a value in a column in use"),
        ("--no-header", "the first line is a row too: the columns are called c1, c2 and so on"),
    ):
        group.add_argument(option, action="store_true", help=words)
    group.add_argument(
        "--decimal", type=_checked(decimal_from), metavar="SIGN", help="the decimal sign: a point or a comma"
    )
    group.add_argument(
        "--thousands",
        type=_checked(thousands_from),
        metavar="SIGN",
        help="the sign that groups digits, e.g. a comma as in 12,500",
    )
    group.add_argument(
        "--encoding",
        type=_checked(encoding_from),
        metavar="NAME",
        help="the file's encoding, e.g. cp1252 or gb18030 (default: utf-8)",
    )


def table_of(options: Namespace) -> Table:
    """Return the choices about a CSV file that the options make."""
    return Table(
        targets=tuple(options.target),
        standardize=options.standardize,
        columns=tuple(options.columns),
        drop=tuple(options.drop),
        one_hot=tuple(options.one_hot),
        days=tuple(options.days),
        index=options.index,
        skip_incomplete=options.skip_incomplete,
        decimal=options.decimal,
        thousands=options.thousands,
        header=not options.no_header,
        encoding=options.encoding,
    )


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        try:
            return check(text)
        except BadInput as error:
            raise ArgumentTypeError(str(error)) from error

    return checked
