"""Modules in a script's own folder: imported from it, read again for every run, named if hidden."""

from __future__ import annotations

import ast
import importlib
import linecache
import os
import sys
import tokenize
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gradstep.scripts.source import ScriptSource

SCRIPT_PREFIX: Final = "gradstep_script_"
"""Prefix of a script's name in `sys.modules`; without it a script named torch.py would replace torch."""

_LOADED: Final = set[str]()
"""Names in `sys.modules` of the modules that the last script imported from its own folder."""


@contextmanager
def folder_on_path(source: ScriptSource) -> Iterator[None]:
    """Let a script import modules and packages from its own folder, as `python script.py` does.

    Every run reads them from their files again, so a reload sees edits in them. A module that is loaded
    already, such as one of Python's own, stays (see `hidden_modules`). Tracebacks and source lines show the
    text that was loaded from now on, even if the file is edited; if the `with` block raises, they show the
    text from before, because the session before goes on.
    """
    folder = _folder(source)
    while _LOADED:
        sys.modules.pop(_LOADED.pop(), None)
    known, wrote = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True  # Python would use bytecode from before an edit within the same second
    importlib.invalidate_caches()
    try:
        yield
        _remember_texts(name for name in sys.modules.keys() - known if _is_local(folder, name))
    finally:
        # A package without `__init__.py` looks for its folder again once the path is another.
        _LOADED.update(name for name in sys.modules.keys() - known if _is_local(folder, name))
        sys.dont_write_bytecode = wrote
        if folder in sys.path:
            sys.path.remove(folder)


def _remember_texts(modules: Iterable[str]) -> None:
    """Make tracebacks and source lines show the texts of loaded modules as they are in their files now."""
    for name in modules:
        file: str = getattr(sys.modules[name], "__file__", None) or ""
        try:
            with tokenize.open(file) as opened:
                lines = opened.readlines()
        except (OSError, SyntaxError, ValueError):  # a package without `__init__.py`, or compiled code
            continue
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


def hidden_modules(source: ScriptSource) -> tuple[str, ...]:
    """Return a sentence for each import of a script that gives another module than the file in its folder.

    Plain Python looks into the script's folder first. Here Python's own modules and the packages that
    gradstep uses are loaded before any script, and an import returns the loaded module.
    """
    folder = _folder(source)
    return tuple(
        f"`import {name}` gives {_owner(name)}, not {file} in the script's folder: rename {file}"
        for name in _imported_names(source.text)
        if name in sys.modules and name not in _LOADED and not _is_local(folder, name)
        for file in _local_files(source, name)
    )


def _folder(source: ScriptSource) -> str:
    return str(source.path.parent.absolute())


def _is_local(folder: str, name: str) -> bool:
    """Return whether a loaded module, or a package without `__init__.py`, comes from the script's folder."""
    module = getattr(sys.modules[name], "__dict__", {})
    file = module.get("__file__") or next(iter(module.get("__path__") or ()), "")
    installed = "site-packages" in file or file.startswith((sys.prefix + os.sep, sys.base_prefix + os.sep))
    return file.startswith(folder + os.sep) and not installed and not name.startswith(SCRIPT_PREFIX)


def _imported_names(text: str) -> list[str]:
    """Return the top-level names that a script imports anywhere in it, each once."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = list[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module.partition(".")[0])
    return list(dict.fromkeys(names))


def _local_files(source: ScriptSource, name: str) -> Iterator[str]:
    """Yield the name of the module or package in the script's folder that plain Python would import."""
    folder = Path(_folder(source))
    if (folder / name / "__init__.py").is_file():
        yield f"the folder {name}"
    elif (folder / f"{name}.py").is_file() and f"{name}.py" != source.path.name:
        yield f"{name}.py"


def local_imports(source: ScriptSource) -> tuple[str, ...]:
    """Return the modules and packages in a script's folder that it imports."""
    folder = Path(_folder(source))
    return tuple(
        name
        for name in _imported_names(source.text)
        if (folder / f"{name}.py").is_file() or (folder / name).is_dir()
    )


def module_files(source: ScriptSource) -> Iterator[Path]:
    """Yield the files of modules in a script's folder that it imports, or that are loaded."""
    folder = _folder(source)
    for name in local_imports(source):
        yield Path(folder, f"{name}.py")
    for name in [*sys.modules]:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is not None and _is_local(folder, name):
            yield Path(file)


def _owner(name: str) -> str:
    return "Python's own module" if name in sys.stdlib_module_names else "the installed package"
