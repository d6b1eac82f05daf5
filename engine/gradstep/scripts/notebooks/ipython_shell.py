"""What a notebook has of a running IPython: `get_ipython()`, and `await` outside a function."""

from __future__ import annotations

import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from types import CodeType
from typing import Any


class Shell:
    """Shell that `get_ipython()` returns: its magics and its commands do nothing, as those in cells."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        """Stand for the shell of a notebook with these names."""
        self.user_ns = namespace

    def run_line_magic(self, magic_name: str, line: str = "", *_: object) -> None:
        """Run the statement of `%time`; ignore any other magic."""
        if magic_name == "time":
            exec(line, self.user_ns)

    def run_cell_magic(self, magic_name: str, line: str = "", cell: str = "") -> None:
        """Run the body of `%%time` and `%%capture`; ignore any other magic."""
        if magic_name in ("time", "capture", "prun"):
            exec(cell, self.user_ns)

    def magic(self, line: str) -> None:
        """Do as `run_line_magic`."""
        self.run_line_magic(*line.split(maxsplit=1))

    def system(self, _command: str) -> None:
        """Ignore a command."""

    def getoutput(self, _command: str) -> list[str]:
        """Return the output of a command that is not run."""
        return []


def compiled(text: str, path: str) -> CodeType:
    """Return the code of a notebook, in which `await` may be outside a function."""
    code: CodeType = compile(text, path, "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def awaits(text: str) -> bool:
    """Return whether a notebook has an `await` outside a function, which a script cannot have."""
    return bool(compiled(text, "notebook").co_flags & inspect.CO_COROUTINE)


def run(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run the code of a notebook, in an event loop if it waits for something."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, namespace)
        return
    import asyncio  # most notebooks need none

    asyncio.run(eval(code, namespace))
