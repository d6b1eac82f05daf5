"""Code cells of a Jupyter notebook joined into one script of plain Python with the same lines."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gradstep.scripts.notebooks.notebook_file import BadNotebook, code_cells
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource

MOST_NOTED: Final = 3
"""Left-out commands or written files that a note quotes at most."""

_FUTURE: Final = re.compile(r"from\s+__future__\s+import\b")
"""Beginning of an import that Python accepts at the start of a file only, and IPython in every cell."""

_PROMPT: Final = re.compile(r"\s*In \[\d+\]: ")
"""Prompt of IPython copied along with a statement, which Python takes for an annotation."""


def notebook_source(path: Path, data: bytes) -> ScriptSource:
    """Return a notebook's code cells as one script, without its text cells and outputs.

    Raises:
        ScriptError: The file is not a notebook, or the notebook's language is not Python.
    """
    lines, places, left_out, written = list[str](), list[tuple[int, int]](), list[str](), list[str]()
    for number, text in _code_cells(path, data):
        rows = text.splitlines()
        if not _is_python(text):
            from gradstep.scripts.notebooks.ipython_syntax import plain_cell  # imports IPython: most need not

            cell = plain_cell(text)
            rows = cell.rows
            left_out += [f"{command} (cell {number})" for command in cell.left_out]
            written += [f"{file} (cell {number})" for file in cell.written]
        lines += [f"# {row}" if lines and _FUTURE.match(row) else row for row in rows] + ["", ""]
        places += [(number, line) for line in range(1, len(rows) + 3)]
    notes = [f"left out because only IPython understands it: {_quoted(left_out)}"] if left_out else []
    notes += [f"the notebook writes {_quoted(written)}"] if written else []
    return ScriptSource(path, "\n".join(lines) + "\n", tuple(notes), tuple(places))


def _quoted(several: list[str]) -> str:
    more = f" and {len(several) - MOST_NOTED} more" if len(several) > MOST_NOTED else ""
    return "; ".join(several[:MOST_NOTED]) + more


def _code_cells(path: Path, data: bytes) -> Iterator[tuple[int, str]]:
    """Yield every code cell that is not blank, with its number among the code cells, counted from 1."""
    try:
        cells = code_cells(data)
    except BadNotebook as error:
        raise ScriptError(path, str(error)) from None
    yield from ((number, text) for number, text in enumerate(cells, 1) if text.strip())


def _is_python(cell: str) -> bool:
    if _PROMPT.match(cell):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns again when the script is compiled
            ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
