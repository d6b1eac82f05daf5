"""Tells a script's own arguments from gradstep's: `gradstep train.py --steps 5 --seed 1`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.scripts.source_reader import is_path

if TYPE_CHECKING:
    from gradstep_tui.commands.parsers import Parser

SEPARATOR: Final = "--"
"""Argument after which everything is the script's."""


def parsed(parser: Parser, given: Sequence[str]) -> Namespace:
    """Return the options that a parser finds, with the script's own arguments as `arguments`, a tuple.

    Everything after `--` is the script's. Before it, what follows the path of a script and is no option of
    gradstep's goes to the script, too. Anything else that the parser does not know is an error.

    Args:
        parser: Parser with an argument `problem`.
        given: Arguments of the command.
    """
    at = given.index(SEPARATOR) if SEPARATOR in given else len(given)
    if any(map(takes_arguments, given[:at])):
        parser.hint = "; if the option is the script's own, put -- before it"
    ours, after = [*map(_Placed, given[:at], range(at))], [*given[at + 1 :]]
    options, unknown = parser.parse_known_args(ours)
    if options.problem is None and after:  # as in `gradstep -- -name.py`
        options.problem, *after = after
    problem = options.problem
    for_script = problem is not None and takes_arguments(problem)
    place = problem.place if isinstance(problem, _Placed) else len(ours)
    wrong = [text for text in unknown if not for_script or getattr(text, "place", place) < place]
    if wrong:
        late = any(map(takes_arguments, wrong)) or for_script
        hint = "; a script's own arguments follow its path" if late else ""
        parser.error(f"unrecognized arguments: {' '.join(wrong)}{hint}")
    if after and not for_script:
        named = "nothing of that kind is named" if problem is None else f"{problem} is none"
        parser.error(f"only a script takes arguments, and {named}: leave out {' '.join(after)}")
    options.problem = None if problem is None else str(problem)
    options.arguments = tuple(map(str, (*unknown, *after)))
    return options


class _Placed(str):
    """An argument that knows its place; `argparse` hands out the arguments that it was given."""

    place: int

    def __new__(cls, text: str, place: int) -> _Placed:
        placed = super().__new__(cls, text)
        placed.place = place
        return placed


def takes_arguments(problem: str) -> bool:
    """Return whether a problem is a script, which finds its own arguments in `sys.argv`."""
    return is_path(problem) and not problem.casefold().endswith((".csv", ".tsv"))
