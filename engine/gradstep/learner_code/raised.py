"""Exceptions that a learner's code raises: which they are, and what they say."""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import TracebackType
from typing import Final

from gradstep.errors import EngineError
from gradstep.learner_code.interruption import Interrupted

LONGEST: Final = 1_000
"""Length in characters at which an exception's message is cut."""

_RAISES: Final = frozenset({dis.opmap["RAISE_VARARGS"]})
"""Instructions of a `raise` statement."""


def is_of_learners_code(error: BaseException) -> bool:
    """Return whether an exception, raised while a learner's code ran, is that code's or PyTorch's own.

    The engine's own errors and interruptions are not, and neither is the `KeyboardInterrupt` of ctrl+c.
    Python raises the latter between two instructions; code that raises one itself does so in a `raise`
    statement.
    """
    if isinstance(error, KeyboardInterrupt):
        return is_by_raise_statement(error)
    return not isinstance(error, EngineError | Interrupted)


def is_by_raise_statement(error: BaseException) -> bool:
    """Return whether an exception began in a `raise` statement, not in an operation or a signal handler."""
    innermost = innermost_of(error.__traceback__)
    if innermost is None:
        return False
    code = innermost.tb_frame.f_code.co_code
    return code[innermost.tb_lasti] in _RAISES


def innermost_of(traceback: TracebackType | None) -> TracebackType | None:
    """Return the entry of a traceback at which the exception began; None if there is no traceback."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


def message_of(error: BaseException) -> str:
    """Return an exception's message; an empty string if the message cannot be made."""
    if isinstance(error, SystemExit):
        return f"the script calls exit({'' if error.code is None else _text(error.code, repr)})"
    return _text(error, str)


def caught_as(error: BaseException) -> str:
    """Return the name of the nearest class of an exception that Python itself defines."""
    classes = type(error).__mro__
    return next(kind.__name__ for kind in classes if kind.__module__ == "builtins")


def printable(text: str) -> str:
    """Return a text with its control characters spelled out, so that no terminal obeys them."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _text(value: object, spell: Callable[[object], str]) -> str:
    try:
        text = spell(value)
    except BaseException:  # an exception of the script's own may raise anything when it is asked for text
        return ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
