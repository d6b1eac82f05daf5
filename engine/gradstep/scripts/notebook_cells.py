"""Code cells of a Jupyter notebook joined into one script, without lines that only IPython understands."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gradstep.scripts.notebook_file import BadNotebook, code_cells
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource

PYTHON_CELLS: Final = ("%%time", "%%timeit", "%%capture", "%%prun")
"""Cell magics whose cells contain Python; the cells of all other magics contain something else."""

_MAGIC: Final = re.compile(r"\s*([%!?]|\w+\s*=\s*[%!])|.*\?\s*$")
"""Pattern of a line that only IPython understands."""

MOST_NOTED: Final = 3
"""Left-out lines that the note quotes at most."""


def notebook_source(path: Path, data: bytes) -> ScriptSource:
    """Return a notebook's code cells as one script, without its text cells and outputs.

    Raises:
        ScriptError: The file is not a notebook, or the notebook's language is not Python.
    """
    lines, places, left_out = list[str](), list[tuple[int, int]](), list[str]()
    for number, text in _code_cells(path, data):
        for line, row in enumerate(_rows(text), 1):
            kept = row
            if isinstance(row, _LeftOut):
                kept = row.instead
                if row.text.strip():
                    left_out.append(f"{row.text.strip()} (cell {number})")
            lines.append(str(kept))
            places.append((number, line))
        lines += ["", ""]
        places += [(number, line + 1), (number, line + 2)]
    more = f" and {len(left_out) - MOST_NOTED} more" if len(left_out) > MOST_NOTED else ""
    quoted = "; ".join(left_out[:MOST_NOTED])
    note = f"left out because only IPython understands it: {quoted}{more}"
    return ScriptSource(path, "\n".join(lines) + "\n", (note,) if left_out else (), tuple(places))


def _code_cells(path: Path, data: bytes) -> Iterator[tuple[int, str]]:
    """Yield every code cell that is not blank, with its number among the code cells, counted from 1."""
    try:
        cells = code_cells(data)
    except BadNotebook as error:
        raise ScriptError(path, str(error)) from None
    yield from ((number, text) for number, text in enumerate(cells, 1) if text.strip())


class _LeftOut:
    """A line that is not Python, and the comment that replaces it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.instead = f"{text[: len(text) - len(text.lstrip())]}pass  # {text.strip()}"


def _rows(cell: str) -> Iterator[str | _LeftOut]:
    rows = cell.splitlines()
    if _is_python(cell):
        yield from rows
        return
    first = next(number for number, row in enumerate(rows) if row.strip())
    foreign = rows[first].startswith("%%") and not rows[first].startswith(PYTHON_CELLS)
    for row in rows:
        yield _LeftOut(row) if foreign or _MAGIC.match(row) else row


def _is_python(cell: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns again when the script is compiled
            ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
