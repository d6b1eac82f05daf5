"""Text of a script: that of a Python file, of a notebook's code cells, or written for a CSV file."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from gradstep.learner_code.places import in_words, remember_script

NOTEBOOK: Final = ".ipynb"


def digest_of(data: bytes) -> str:
    """Return a hash of some content, 16 hexadecimal digits."""
    return blake2b(data, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class ScriptSource:
    """Text of a script, with its origin."""

    path: Path
    text: str
    """Python source; lines of a notebook that are not Python are comments."""

    notes: tuple[str, ...] = ()
    """Sentences for the learner about lines that were left out."""

    cells: tuple[tuple[int, int], ...] = ()
    """Cell and line in the cell, both counted from 1, of each line of a notebook; empty for other files."""

    table: bytes | None = None
    """Bytes of the CSV file for which the text was written; None for a script or a notebook."""

    reads: bool = False
    """Whether the text opens the CSV file when it runs, so that it cannot run without the file."""

    @property
    def digest(self) -> str:
        """Hash of the file's content, 16 hexadecimal digits."""
        data = self.text.encode("utf-8", "surrogatepass") if self.table is None else self.table
        return digest_of(data)

    @property
    def is_notebook(self) -> bool:
        """Whether the text comes from a notebook."""
        return self.path.suffix == NOTEBOOK and self.table is None

    def place(self, line: int) -> str:
        """Return the place of a line in words, e.g. "line 3" or "cell 2, line 1"."""
        return in_words(line, self.cells)

    def line(self, number: int) -> str:
        """Return the text of a line counted from 1, or an empty string if there is no such line."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Make tracebacks and source lines show this text from now on, even if the file is edited.

        If the `with` block raises, the text shown before is restored, because the session before goes on.
        """
        name, lines = str(self.path), self.text.splitlines(keepends=True)
        remember_script(name, self.cells)
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
