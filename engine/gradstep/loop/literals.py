"""Values that a learner types as in Python, e.g. `SGD(momentum=0.9)`, and messages about them."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

from gradstep.errors import BadInput

LONGEST = 40
"""Limit on the characters of a value that a message repeats."""

MOST_BITS = 200
"""Limit on the bits of a whole number that a message repeats."""

MOST_CHARACTERS = 500
"""Limit on the characters of a text that is read as Python."""

MOST_LEVELS = 60
"""Limit on the nesting of a text that is read as Python, far below that at which Python itself gives up."""


def parsed(text: str) -> ast.expr | None:
    """Return the expression that `text` is in Python; None if it is none, or too long or deep."""
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns e.g. about `0in`, which is read as `0 in`
            expression = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return None if _is_deep(expression) else expression


def _is_deep(expression: ast.expr) -> bool:
    """Return whether an expression is nested so deeply that functions that recurse may fail on it."""
    level: list[ast.AST] = [expression]
    for _ in range(MOST_LEVELS):
        level = [inner for node in level for inner in ast.iter_child_nodes(node)]
    return bool(level)


def named(keywords: Sequence[ast.keyword], *positional: str) -> dict[str, ast.expr]:
    """Return the options of a call, by name.

    Args:
        keywords: Options that are given by name.
        positional: Names of the options that are given by position.

    Raises:
        BadInput: an option is given twice.
    """
    found = dict[str, ast.expr]()
    for keyword in keywords:
        name = str(keyword.arg)
        if name in found or name in positional:
            raise BadInput(f"{shown(name)[1:-1]} is given twice: leave one out")
        found[name] = keyword.value
    return found


def literal(option: str, value: ast.expr, kinds: str) -> Any:
    """Return the value of an option.

    Args:
        option: Name of the option.
        value: Expression that was typed for it.
        kinds: Kinds of values that the option accepts, for the message.

    Raises:
        BadInput: the expression is no literal.
    """
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise BadInput(
            f"{option}={shown(ast.unparse(value))} is not possible: the value must be a {kinds}"
        ) from None


def shown(value: object) -> str:
    """Return a value that cannot be used as a message repeats it: of a very long one, only the beginning."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return "a number of that length"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    is_plain = value is None or isinstance(value, (str, int, float, tuple, list))
    try:
        text = repr(value) if is_plain else type(value).__name__
    except (ValueError, RecursionError):  # Python does not write out numbers of thousands of digits
        return "a value of that length"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def unknown(what: str, given: str, known: Collection[str]) -> str:
    """Return a message that a name is unknown, with all known names and the one that it resembles, if any.

    Args:
        what: Kind of the named things; its first word is a noun with a plural in `s`, e.g. `option of SGD`.
        given: The unknown name; capitals do not matter.
        known: The known names.
    """
    lower = {name.casefold(): name for name in known}
    close = get_close_matches(given.casefold(), lower, n=1)
    question = f"Did you mean {lower[close[0]]!r}? " if close else ""
    noun, blank, rest = what.partition(" ")
    names = f"The {noun}s{blank}{rest} are: {', '.join(known)}"
    return f"no {what} is called {shown(given)}. {question}{names}"
