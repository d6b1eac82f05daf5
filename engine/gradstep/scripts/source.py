"""The text of a script: a Python file as it is, or the code cells of a notebook, one after the other."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

NOTEBOOK: Final = ".ipynb"


@dataclass(frozen=True, slots=True)
class ScriptSource:
    """What a script says."""

    path: Path
    text: str
    """Python; for a notebook, the lines that are no Python made into comments."""

    notes: tuple[str, ...] = ()
    """What was left out."""

    cells: tuple[tuple[int, int], ...] = ()
    """For each line of a notebook, its cell and its line in that, counted from 1; empty for a file."""

    table: bytes | None = None
    """What a table holds that this was written for; None where the text is the file's own."""

    reads: bool = False
    """Whether the text reads that table again: it is not all that is run."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that tell what is in the file from anything else."""
        data = self.text.encode("utf-8", "surrogatepass") if self.table is None else self.table
        return blake2b(data, digest_size=8).hexdigest()

    @property
    def is_notebook(self) -> bool:
        """Whether it came from a notebook's cells."""
        return self.path.suffix == NOTEBOOK and self.table is None

    def place(self, line: int) -> str:
        """Say where a line is."""
        if self.cells and 0 < line <= len(self.cells):
            return "cell {}, line {}".format(*self.cells[line - 1])
        return f"line {line}"

    def line(self, number: int) -> str:
        """Give a line; empty where there is none."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Have tracebacks and source lines show this text, also when the file is edited afterwards.

        Where what is done inside raises, they show what they did before: a session may go on with that.
        """
        name, lines = str(self.path), self.text.splitlines(keepends=True)
        before = linecache.cache.get(name)
        linecache.cache[name] = (len(self.text), None, lines, name)
        try:
            yield
        except BaseException:
            if before is None:
                del linecache.cache[name]
            else:
                linecache.cache[name] = before
            raise
