"""Options that a learner may choose before a session begins, and the `Start` that they make."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Final

from gradstep.actions import learning_rate_from
from gradstep.errors import BadInput
from gradstep.loop.batches import Batches, batches_from
from gradstep.loop.conventions import Names
from gradstep.loop.optimizer_table import EXAMPLE
from gradstep.loop.optimizers import NAMES, Optimizer, optimizer_from
from gradstep.start import Start, start_from, start_from_table
from gradstep.tables.table import Table
from gradstep_tui.commands.option_hints import options_text
from gradstep_tui.commands.table_options import add_table, table_of

DEFAULT: Final = "crops"
"""Problem that is trained if none is named."""

LARGEST_SEED: Final = 2**64 - 1
"""Largest seed that `torch.manual_seed` accepts."""


def add_problem(parser: ArgumentParser) -> None:
    """Add the arguments that choose the problem."""
    parser.add_argument(
        "problem",
        nargs="?",
        help=f"a built-in problem, or a script, to train (default: {DEFAULT}); what follows the path of a "
        "script and is no option of this list, and everything after --, goes to the script",
    )
    add_source(parser)


def add_source(parser: ArgumentParser) -> None:
    """Add the options for reading a file: columns of a table, and names in a script."""
    add_table(parser)
    _add_names(parser)


def is_table(name: str) -> bool:
    """Return whether a name is that of a table rather than of a script or a built-in problem."""
    return name.casefold().endswith((".csv", ".tsv"))


def start_of(options: Namespace) -> Start:
    """Return the start that the options ask for.

    Raises:
        BadInput: there is no such problem or file, or two options contradict each other.
    """
    names, seed, rate = _names_of(options), options.seed, options.lr
    choices = options.optimizer, options.batches
    if options.csv is None:
        if table_of(options) != Table():
            raise BadInput(f"{options_text(table_of(options))} can only be used together with --csv FILE")
        if options.problem and is_table(options.problem):
            file = shlex.quote(options.problem)
            raise BadInput(f"{options.problem} is a table: train on it with --csv {file} --target COLUMN")
        arguments = tuple(getattr(options, "arguments", ()))
        return start_from(options.problem or DEFAULT, seed, rate, names, *choices, arguments)
    if options.problem is not None:
        raise BadInput(f"name a problem ({options.problem}) or use --csv, not both")
    if names is not None:
        raise BadInput("--model, --loss, --inputs and --targets cannot be used together with --csv")
    return start_from_table(options.csv, table_of(options), seed, rate, *choices)


def _add_names(parser: ArgumentParser) -> None:
    """Add the options for the names in a script."""
    group = parser.add_argument_group(
        "names in a script, if they do not follow the conventions (see `gradstep help your-script`)"
    )
    group.add_argument("--model", metavar="NAME", help="the function or nn.Module that predicts")
    group.add_argument("--loss", metavar="NAME", help="the loss function")
    group.add_argument("--inputs", metavar="NAME", help="the tensor that the model is called with")
    group.add_argument("--targets", metavar="NAME", help="the tensor that predictions are compared with")


def _names_of(options: Namespace) -> Names | None:
    """Return the names given as options; None if there are none."""
    names = Names(options.model, options.loss, options.inputs, options.targets)
    return None if names == Names() else names


def add_seed(parser: ArgumentParser) -> None:
    """Add the option for the seed of the start values."""
    parser.add_argument("--seed", type=_seed, metavar="N", help="choose random start values with this seed")


def add_start(parser: ArgumentParser) -> None:
    """Add the options for the start: seed, learning rate, batches and optimizer."""
    add_seed(parser)
    parser.add_argument("--lr", type=_rate, metavar="X", help="learning rate (default: the problem's own)")
    parser.add_argument(
        "--batches",
        type=_batches,
        metavar="WAY",
        help="the way to split the samples, e.g. 'micro(2)' or 'mini(2, shuffle=True)' (default: full)",
    )
    parser.add_argument(
        "--optimizer",
        type=_optimizer,
        metavar="NAME",
        help=f"the optimizer: hand (the update by hand), {', '.join(NAMES[1:])}; with options, e.g. "
        f"'{EXAMPLE}' (default: the script's own, else hand)",
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
        raise ArgumentTypeError(f"{short!r} is not a seed: enter a whole number from 0 to {LARGEST_SEED}")
    return int(text)
