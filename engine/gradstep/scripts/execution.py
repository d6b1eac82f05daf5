"""Runs a script in a namespace of its own; whatever it raises becomes an error that names its line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from gradstep.scripts.local_modules import SCRIPT_PREFIX, hidden_modules
from gradstep.scripts.script_errors import ScriptError, sentence_for
from gradstep.scripts.source import ScriptSource

Namespace = dict[str, Any]


def run_script(source: ScriptSource) -> Namespace:
    """Run a script and give what it defines. Its `__name__` is not "__main__".

    Raises:
        ScriptError: it cannot be compiled, or raises.
    """
    module = ModuleType(SCRIPT_PREFIX + source.path.stem)
    module.__file__ = str(source.path)
    namespace = module.__dict__
    if source.is_notebook:
        namespace["display"] = print
    # Dataclasses, among others, look up the module in which a class was made.
    sys.modules[module.__name__] = module
    ours, sys.argv = sys.argv, [str(source.path)]  # a script that parses its arguments has been given none
    try:
        with located(source, "The script raised this while it ran."):
            exec(compile(source.text, str(source.path), "exec"), namespace)
    finally:
        sys.argv = ours
    return namespace


@contextmanager
def located(source: ScriptSource, otherwise: str | Callable[[], str]) -> Iterator[None]:
    """Turn what is raised inside into a `ScriptError` that names the script's line.

    Args:
        source: The script.
        otherwise: The sentence where there is none for this very error.
    """
    try:
        yield
    except ScriptError:
        raise
    except BaseException as error:
        raise _error(source, error, otherwise if isinstance(otherwise, str) else otherwise()) from error


def _error(source: ScriptSource, error: BaseException, otherwise: str) -> ScriptError:
    kind = type(error).__name__
    message = _message(error)
    line = _line_of(source, error)
    words = f"{kind}: {message}" if message else kind
    if isinstance(error, SystemExit):
        words = f"the script calls exit({'' if error.code is None else repr(error.code)})"
    hidden = (f"{reason}." for reason in hidden_modules(source))
    sentence = " ".join((sentence_for(kind, message) or otherwise, *hidden))
    place, text = ("", "") if line is None else (source.place(line), source.line(line))
    return ScriptError(source.path, words, sentence, place=place, text=text)


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return str(error.msg)
    try:
        return str(error)
    except Exception:  # an error of the script's own may be unable to say what it is
        return ""


def _line_of(source: ScriptSource, error: BaseException) -> int | None:
    """Give the innermost line of the script that led to the error; None where none did."""
    if isinstance(error, SyntaxError) and error.filename == str(source.path):
        return error.lineno
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == str(source.path)]
    return lines[-1] if lines else None


def where(source: ScriptSource, part: object) -> dict[str, str]:
    """Give the place and the text of a script's function; nothing where it is not the script's own."""
    function = getattr(type(part), "forward", part)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename != str(source.path):
        return {}
    return {"place": source.place(code.co_firstlineno), "text": source.line(code.co_firstlineno)}
