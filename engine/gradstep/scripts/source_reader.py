"""Reading the file that a learner named: a Python script, a notebook, or the bytes of any other file."""

from __future__ import annotations

from importlib.util import decode_source
from pathlib import Path
from typing import Final

from gradstep.scripts.notebooks.notebook_cells import notebook_source
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import NOTEBOOK, ScriptSource

ENDINGS: Final = (".py", NOTEBOOK)
LARGEST: Final = 20_000_000
"""Size limit in bytes; a notebook with pictures in its outputs may be large."""


def is_path(name: str) -> bool:
    """Return whether a name is the path of a file and not the name of a built-in problem."""
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
        path: Path of the file.
        kind: Kind of file expected, for messages, e.g. "a script".
        endings: Suffixes that the name may have; empty if any name is accepted.

    Raises:
        ScriptError: The file is missing, not a regular file, too large, or cannot be read.
    """
    try:
        if path.is_dir():
            raise ScriptError(path, f"this is a folder, not {kind}")
        if path.exists() and not path.is_file():
            raise ScriptError(path, "this is not a regular file")
        if endings and path.suffix not in endings:
            raise ScriptError(path, "the name of a script must end with .py, that of a notebook with .ipynb")
        if path.stat().st_size > LARGEST:
            raise ScriptError(path, f"this file is too large for {kind}: it has more than {LARGEST:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise ScriptError(path, "there is no such file") from None
    except OSError as error:
        raise ScriptError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the name
        raise ScriptError(path, "no file can have this name") from None
