"""Runs a script in a namespace of its own and turns what it raises into an error that names the line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gradstep.learner_code.raised import message_of
from gradstep.scripts.local_modules import SCRIPT_PREFIX, hidden_modules
from gradstep.scripts.notebooks import ipython_shell
from gradstep.scripts.notebooks.ipython_shell import Shell
from gradstep.scripts.script_errors import ScriptError, sentence_for
from gradstep.scripts.source import ScriptSource

Namespace = dict[str, Any]

RAISED: Final = "The script raised this error while it ran."


def run_script(source: ScriptSource) -> Namespace:
    """Run a script and return its namespace. Its `__name__` is not "__main__".

    Raises:
        ScriptError: The script cannot be compiled, or it raised an exception.
    """
    module = ModuleType(SCRIPT_PREFIX + source.path.stem)
    module.__file__ = str(source.path)
    namespace = module.__dict__
    if source.is_notebook:
        namespace["display"] = print
        shell = Shell(namespace)
        namespace["get_ipython"] = lambda: shell
    # Dataclasses, for example, look up the module of a class by name.
    sys.modules[module.__name__] = module
    ours, sys.argv = sys.argv, [str(source.path)]  # the script gets no arguments
    try:
        with located(source, RAISED):
            if source.is_notebook:
                ipython_shell.run(ipython_shell.compiled(source.text, str(source.path)), namespace)
            else:
                # Python's own rules, without this file's `from __future__ import annotations`.
                exec(compile(source.text, str(source.path), "exec", dont_inherit=True), namespace)
    finally:
        sys.argv = ours
    return namespace


@contextmanager
def located(source: ScriptSource, otherwise: str | Callable[[], str]) -> Iterator[None]:
    """Turn any exception in the `with` block into a `ScriptError` that names the script's line.

    Args:
        source: The script.
        otherwise: Sentence for errors that `SENTENCES` does not explain, or a function that returns it.
    """
    try:
        yield
    except ScriptError:
        raise
    except BaseException as error:
        raise _error(source, error, otherwise if isinstance(otherwise, str) else otherwise()) from error


def _error(source: ScriptSource, error: BaseException, otherwise: str) -> ScriptError:
    kind = type(error).__name__
    message = str(error.msg) if isinstance(error, SyntaxError) else message_of(error)
    line = _line_of(source, error)
    words = f"{kind}: {message}" if message else kind
    if isinstance(error, SystemExit):
        words = message
    hidden = (f"{reason}." for reason in hidden_modules(source))
    sentence = " ".join((sentence_for(kind, message) or otherwise, *hidden))
    place, text = ("", "") if line is None else (source.place(line), source.line(line))
    return ScriptError(source.path, words, sentence, place=place, text=text)


def folder_for(source: ScriptSource, error: BaseException | None) -> Path | None:
    """Return the folder in which a script finds a file that it has not found; None if there is none.

    A path that begins with the name of the script's own folder, or of one above, was written to be used from
    the folder above that one.
    """
    if not isinstance(error, FileNotFoundError):
        return None
    named = error.filename if isinstance(error.filename, str) else str(error).removesuffix(" not found.")
    missing = Path(named)
    if missing.is_absolute() or len(missing.parts) < 2:
        return None
    above = (folder.parent for folder in source.path.absolute().parents if folder.name == missing.parts[0])
    return next((folder for folder in above if (folder / missing).parent.is_dir()), None)


def _line_of(source: ScriptSource, error: BaseException) -> int | None:
    """Return the innermost line of the script in the traceback, or None if there is none."""
    if isinstance(error, SyntaxError) and error.filename == str(source.path):
        return error.lineno
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == str(source.path)]
    return lines[-1] if lines else None


@contextmanager
def located_if_in_script(source: ScriptSource, otherwise: str) -> Iterator[None]:
    """Do as `located` does for exceptions that passed a line of the script; pass any other on."""
    try:
        yield
    except ScriptError:
        raise
    except BaseException as error:
        if _line_of(source, error) is None:
            raise
        raise _error(source, error, otherwise) from error


def place_of(source: ScriptSource, part: object) -> dict[str, str]:
    """Return `place` and `text` of a script's function for `ScriptError`; empty for any other function."""
    function = getattr(type(part), "forward", part)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename != str(source.path):
        return {}
    return {"place": source.place(code.co_firstlineno), "text": source.line(code.co_firstlineno)}
