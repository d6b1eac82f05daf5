"""Runs a script in a namespace of its own; whatever it raises becomes an error that names its line."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from gradstep.scripts.script_errors import ScriptError, sentence_for
from gradstep.scripts.source import ScriptSource

_PREFIX: Final = "gradstep_script_"
"""A script named torch.py must not stand where torch itself does."""

_BESIDE: Final = set[str]()
"""The names of modules that were imported from a script's own folder."""

Namespace = dict[str, Any]


def run_script(source: ScriptSource) -> Namespace:
    """Run a script and give what it defines. Its `__name__` is not "__main__".

    Raises:
        ScriptError: it cannot be compiled, or raises.
    """
    module = ModuleType(_PREFIX + source.path.stem)
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


@contextmanager
def folder_on_path(source: ScriptSource) -> Iterator[None]:
    """Let the script import what stands beside it, as `python script.py` does; each time from its file.

    So a script that is read again finds what was edited beside it. Installed packages stay as they are.
    """
    folder = str(source.path.parent)
    while _BESIDE:
        sys.modules.pop(_BESIDE.pop(), None)
    known, wrote = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True  # what is compiled is taken for new where it was edited within a second
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        if folder in sys.path:
            sys.path.remove(folder)
        _BESIDE.update(name for name in sys.modules.keys() - known if _stands_in(folder, name))


def _stands_in(folder: str, name: str) -> bool:
    """Whether a module is the learner's own: a file in the script's folder, or in a package there."""
    file = getattr(sys.modules[name], "__file__", None) or ""
    installed = "site-packages" in file or file.startswith((sys.prefix + os.sep, sys.base_prefix + os.sep))
    return file.startswith(folder + os.sep) and not installed and not name.startswith(_PREFIX)


def _error(source: ScriptSource, error: BaseException, otherwise: str) -> ScriptError:
    kind = type(error).__name__
    message = _message(error)
    line = _line_of(source, error)
    words = f"{kind}: {message}" if message else kind
    if isinstance(error, SystemExit):
        words = f"the script calls exit({'' if error.code is None else repr(error.code)})"
    sentence = sentence_for(kind, message) or otherwise
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
