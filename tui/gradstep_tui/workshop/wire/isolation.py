"""Command lines of Python processes that import nothing from the current folder, or from `PYTHON*`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import gradstep

PACKAGES: Final = (str(Path(gradstep.__file__).parents[1]), str(Path(__file__).parents[3]))
"""Folders that contain gradstep's two packages."""

PROGRAM: Final = """
import json, os, sys
given, library = json.loads(sys.argv.pop()), os.path.dirname(os.__file__)
own = {library, os.path.join(library, "lib-dynload")}
after = 1 + max(number for number, entry in enumerate(sys.path) if entry in own)
sys.path[after:after] = given
sys.path[:] = dict.fromkeys(sys.path)
import importlib
sys.exit(importlib.import_module(sys.argv.pop(1)).main())
"""
"""Program of an isolated process: the given folders follow the standard library, and cannot hide it."""


def isolated(module: str, folders: Sequence[str], *arguments: str) -> list[str]:
    """Return a command line that calls a module's `main` in an isolated process.

    The process ignores the current folder, the user's own packages and all `PYTHON*` variables.

    Args:
        module: Dotted name of the module.
        folders: Folders in which modules are looked for, besides the standard library and installed packages.
        arguments: Command-line arguments; `sys.argv` contains them from index 1 on.
    """
    return [sys.executable, "-I", "-X", "utf8", "-c", PROGRAM, module, *arguments, json.dumps([*folders])]


def trusted_folders() -> list[str]:
    """Return this process's module path without the current folder, unless gradstep itself lies there."""
    return [
        entry
        for entry in sys.path
        if os.path.isabs(entry) and (entry in PACKAGES or os.path.realpath(entry) != os.path.realpath("."))
    ]
