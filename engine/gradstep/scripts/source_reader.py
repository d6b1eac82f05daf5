"""Reading the file that a learner named: a Python script, a notebook, or the bytes of any other file."""

from __future__ import annotations

from importlib.util import decode_source
from pathlib import Path
from typing import Final

from gradstep.scripts.notebook_cells import notebook_source
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import NOTEBOOK, ScriptSource

ENDINGS: Final = (".py", NOTEBOOK)
LARGEST: Final = 20_000_000
"""Size limit in bytes; a notebook with pictures in its outputs may be large."""


def is_path(name: str) -> bool:
    """Whether what was given for a problem is a file's name and not that of a built-in problem."""
    return name.endswith(ENDINGS) or "/" in name or "\\" in name


def read_source(path: Path) -> ScriptSource:
    """Read a script or a notebook.

    Raises:
        ScriptError: The file is missing, is neither Python nor a notebook, or cannot be read.
    """
    data = read_bytes(path, "a script", ENDINGS)
    if path.suffix == NOTEBOOK:
        return notebook_source(path, data)
    try:
        return ScriptSource(path, decode_source(data))
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        raise ScriptError(path, f"{type(error).__name__}: {error}", "Save the file as UTF-8.") from None


def read_bytes(path: Path, kind: str, endings: tuple[str, ...] = ()) -> bytes:
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
