"""Values that a learner writes as one would in Python, `SGD(momentum=0.9)`, and what is said of them."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from gradstep.errors import BadInput

LONGEST = 40
"""Characters of a value that are said again."""


def literal(option: str, value: ast.expr, kinds: str) -> Any:
    """Give the value that an option is given.

    Raises:
        BadInput: it is more than a value; `kinds` says of what kinds it could be.
    """
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise BadInput(f"{option}={shown(ast.unparse(value))} is no {kinds}") from None


def shown(value: object) -> str:
    """Write a value that cannot be used, for a message."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = repr(value) if isinstance(value, (str, int, float, tuple, list)) else type(value).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def unknown(what: str, given: str, known: Collection[str]) -> str:
    """Say that there is no such thing: the closest match, and the known ones; capitals do not matter."""
    lower = {name.casefold(): name for name in known}
    close = lower[get_close_matches(given.casefold(), lower, n=1, cutoff=0.0)[0]]
    return f"there is no {what} {shown(given)}: did you mean {close!r}? Known: {', '.join(known)}"
