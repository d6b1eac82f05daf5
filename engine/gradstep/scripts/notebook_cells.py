"""The code cells of a Jupyter notebook as one script; what only IPython understands is left out."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource

PYTHON_CELLS: Final = ("%%time", "%%timeit", "%%capture", "%%prun")
"""Cell magics with Python below them; below all others stands something else."""

_MAGIC: Final = re.compile(r"\s*([%!?]|\w+\s*=\s*[%!])|.*\?\s*$")
"""A line that only IPython understands."""

MOST_NOTED: Final = 3
"""How many of the lines that were left out are named."""


def notebook_source(path: Path, data: bytes) -> ScriptSource:
    """Join a notebook's code cells; its outputs and its words are no part of the script.

    Raises:
        ScriptError: it is no notebook, or none of Python.
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
    note = f"left out, for only IPython understands it: {'; '.join(left_out[:MOST_NOTED])}{more}"
    return ScriptSource(path, "\n".join(lines) + "\n", (note,) if left_out else (), tuple(places))


def _code_cells(path: Path, data: bytes) -> Iterator[tuple[int, str]]:
    """Give the code cells that hold something, each with its number among the code cells."""
    import nbformat  # takes a while to load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about ids that old notebooks lack
            book: Any = nbformat.reads(data.decode("utf-8-sig"), as_version=4)  # type: ignore[no-untyped-call]
            cells = [str(cell.source) for cell in book.cells if cell.cell_type == "code"]
    except Exception as error:  # whatever nbformat makes of bytes that are no notebook
        raise ScriptError(path, f"this is no notebook: {error}") from None
    language = book.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise ScriptError(path, f"this is a notebook of {language}, not of Python")
    yield from ((number, text) for number, text in enumerate(cells, 1) if text.strip())


class _LeftOut:
    """A line that is no Python, and what stands in its place."""

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
        ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
