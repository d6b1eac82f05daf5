"""The text of a script: a Python file as it is, or the code cells of a notebook, one after the other."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import decode_source
from pathlib import Path
from typing import Final

from gradstep.scripts.script_errors import ScriptError

NOTEBOOK: Final = ".ipynb"
ENDINGS: Final = (".py", NOTEBOOK)
LARGEST: Final = 20_000_000
"""In bytes; a notebook with pictures in its outputs may be large."""


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


def is_path(name: str) -> bool:
    """Whether what was given for a problem is a file's name and not that of a built-in problem."""
    return name.endswith(ENDINGS) or "/" in name or "\\" in name


def read_source(path: Path) -> ScriptSource:
    """Read a script.

    Raises:
        ScriptError: it is missing, no Python and no notebook, or cannot be read.
    """
    data = bytes_of(path, "a script", ENDINGS)
    if path.suffix == NOTEBOOK:
        from gradstep.scripts.notebook_cells import notebook_source

        return notebook_source(path, data)
    try:
        return ScriptSource(path, decode_source(data))
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        raise ScriptError(path, f"{type(error).__name__}: {error}", "Save the file as UTF-8.") from None


def bytes_of(path: Path, kind: str, endings: tuple[str, ...] = ()) -> bytes:
    """Read a whole file that a learner named.

    Args:
        path: The file.
        kind: What it should be, e.g. "a script".
        endings: How its name must end; empty where any name will do.

    Raises:
        ScriptError: it is missing, no plain file, too large, or cannot be read.
    """
    try:
        if path.is_dir():
            raise ScriptError(path, f"this is a folder, not {kind}")
        if path.exists() and not path.is_file():
            raise ScriptError(path, "this is no plain file")
        if endings and path.suffix not in endings:
            raise ScriptError(path, "a script's name ends with .py, a notebook's with .ipynb")
        if path.stat().st_size > LARGEST:
            raise ScriptError(path, f"this is too large for {kind}: more than {LARGEST:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise ScriptError(path, "there is no such file") from None
    except OSError as error:
        raise ScriptError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the name
        raise ScriptError(path, "no file can have this name") from None
