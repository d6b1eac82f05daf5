"""What a learner may choose before a session begins, as options, and the start that they make."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Final

from gradstep.actions import learning_rate_from
from gradstep.errors import BadInput
from gradstep.loop.batches import Batches, batches_from
from gradstep.loop.conventions import Names
from gradstep.loop.optimizer_table import EXAMPLE
from gradstep.loop.optimizers import NAMES, Optimizer, optimizer_from
from gradstep.start import Start, start_from, start_from_table
from gradstep.tables.table import Table

DEFAULT: Final = "crops"
"""The problem where none is named."""

LARGEST_SEED: Final = 2**64 - 1
"""What `torch.manual_seed` takes at the most."""


def add_problem(parser: ArgumentParser) -> None:
    """Take what is trained."""
    parser.add_argument(
        "problem",
        nargs="?",
        help=f"what to train: a built-in problem, or a script (default: {DEFAULT})",
    )
    add_source(parser)


def add_source(parser: ArgumentParser) -> None:
    """Take what says how a file is read: the columns of a table, the names that a script has."""
    _add_table(parser)
    _add_names(parser)


def _add_table(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("a linear model of a CSV file")
    group.add_argument(
        "--csv", type=Path, metavar="FILE", help="the file: a line of names, then rows of numbers"
    )
    group.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column to predict, once for each; all others are inputs",
    )
    group.add_argument(
        "--standardize",
        action="store_true",
        help="bring each input to zero mean and unit standard deviation; targets keep their units",
    )


def start_of(options: Namespace) -> Start:
    """Give the start that was asked for.

    Raises:
        BadInput: there is no such problem or file, or options do not go together.
    """
    names, seed, rate = _names_of(options), options.seed, options.lr
    choices = options.optimizer, options.batches
    if options.csv is None:
        if options.target or options.standardize:
            raise BadInput("--target and --standardize belong to --csv FILE")
        return start_from(options.problem or DEFAULT, seed, rate, names, *choices)
    if options.problem is not None:
        raise BadInput(f"either a problem, {options.problem}, or --csv: not both")
    if names is not None:
        raise BadInput("--csv needs no --model, --loss, --inputs or --targets")
    return start_from_table(
        options.csv, Table(tuple(options.target), options.standardize), seed, rate, *choices
    )


def _add_names(parser: ArgumentParser) -> None:
    """Take the names that a script has for its parts."""
    group = parser.add_argument_group("names in a script, which are else found by convention")
    group.add_argument("--model", metavar="NAME", help="of the function or nn.Module that predicts")
    group.add_argument("--loss", metavar="NAME", help="of the loss function")
    group.add_argument("--inputs", metavar="NAME", help="of the tensor that the model gets")
    group.add_argument("--targets", metavar="NAME", help="of the tensor that the loss function gets, too")


def _names_of(options: Namespace) -> Names | None:
    """Give the names that were given; None where none was."""
    names = Names(options.model, options.loss, options.inputs, options.targets)
    return None if names == Names() else names


def add_seed(parser: ArgumentParser) -> None:
    """Take what draws the start values."""
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="random start values instead of the problem's own"
    )


def add_start(parser: ArgumentParser) -> None:
    """Take what is chosen before the first action."""
    add_seed(parser)
    parser.add_argument("--lr", type=_rate, metavar="X", help="learning rate (default: the problem's own)")
    parser.add_argument(
        "--batches",
        type=_batches,
        metavar="WAY",
        help="how samples are split, e.g. 'micro(2)' or 'mini(2, shuffle=True)' (default: full)",
    )
    parser.add_argument(
        "--optimizer",
        type=_optimizer,
        metavar="NAME",
        help=f"{', '.join(NAMES)}; with options, e.g. '{EXAMPLE}' (default: the script's own, else hand)",
    )


def _rate(text: str) -> float:
    try:
        return learning_rate_from(text)
    except BadInput as error:
        raise ArgumentTypeError(str(error)) from error


def _optimizer(text: str) -> Optimizer:
    try:
        return optimizer_from(text)
    except BadInput as error:
        raise ArgumentTypeError(str(error)) from error


def _batches(text: str) -> Batches | None:
    try:
        batches = batches_from(text)
    except BadInput as error:
        raise ArgumentTypeError(str(error)) from error
    return None if batches.full else batches


def _seed(text: str) -> int:
    short = text if len(text) <= 40 else f"{text[:40]}..."
    if not (text.isascii() and text.isdigit()) or short != text or int(text) > LARGEST_SEED:
        raise ArgumentTypeError(f"{short!r} is no seed: type a whole number from 0 to {LARGEST_SEED}")
    return int(text)
