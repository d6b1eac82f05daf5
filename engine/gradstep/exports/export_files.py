"""Puts exports into files: all of them or none, and never half a one."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput, Exists
from gradstep.exports.export import Export

ENDINGS: Final = (".py", ".ipynb", ".csv")
PICTURE: Final = ".svg"
HIDING: Final = sys.stdlib_module_names | {"torch", "numpy"}
"""Names of modules that a script must not have: run from its folder, it would hide them from torch."""


def check_exports(to: str | Path, problem: str, endings: Iterable[str] = ENDINGS) -> None:
    """Look whether a session could be exported there; writes nothing.

    Raises:
        Exists: a file exists already.
        BadInput: it cannot be written there; the message says why.
    """
    base = _base(Path(to), problem)
    if not base.absolute().parent.is_dir():
        raise BadInput(f"cannot write {base}: there is no folder {base.absolute().parent}")
    for ending in endings:
        _check(base.with_name(base.name + ending), force=False)


def check_spares(to: str | Path, problem: str, source: Path) -> None:
    """Look whether an export would write over the very file that is trained.

    Raises:
        BadInput: it would.
    """
    base = _base(Path(to), problem)
    for ending in (*ENDINGS, PICTURE):
        path = base.with_name(base.name + ending)
        with suppress(OSError, ValueError):  # what is not there, or cannot be, is not that file
            if path.samefile(source):
                raise BadInput(f"{path} is what this session trains: choose another name")


def write_exports(to: str | Path, export: Export, *, force: bool = False) -> tuple[Path, ...]:
    """Write the script, the notebook and the loss history, and the picture where there is one.

    Args:
        to: A folder, for files named after the problem; else the files' common name without its ending, of
            which `.py`, `.ipynb` or `.csv` may be given, too. The folder must exist.
        export: What to write.
        force: Whether files that exist already are replaced.

    Returns:
        The paths: `.py`, `.ipynb`, `.csv`, and `.svg`.

    Raises:
        Exists: a file exists already.
        BadInput: one cannot be written; the message says which, and why. No file has changed then, unless
            the very last step, a file's renaming, is what failed.
    """
    base = _base(Path(to), export.problem)
    texts = (export.script, export.notebook, export.losses, export.picture)
    files = {
        base.with_name(base.name + ending): text
        for ending, text in zip((*ENDINGS, PICTURE), texts, strict=True)
        if text
    }
    for path in files:
        _check(path, force)
    _write(files)
    return tuple(files)


def _base(to: Path, problem: str) -> Path:
    if os.path.isdir(to):  # unlike Path's own, it takes any name
        to = to / problem
    elif to.suffix in (*ENDINGS, PICTURE):
        to = to.with_suffix("")
    if to.name in HIDING:
        raise BadInput(f"{to.name}.py would hide Python's own module {to.name}: choose another name")
    if not to.name or to.name == "..":
        raise BadInput(f"{str(to)!r} is no name for files: it must end with one")
    return to


def _check(path: Path, force: bool) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # e.g. a name too long, or with a zero byte in it
        raise _unwritable(path, error) from error
    if stat.S_ISDIR(mode):
        raise BadInput(f"cannot write {path}: it is a folder")
    if not force:
        raise Exists(path)


def _write(files: Mapping[Path, str]) -> None:
    """Write each text beside its file first, so that the files themselves change only when all is written."""
    with ExitStack() as tidied:
        beside: dict[Path, Path] = {}
        for path, text in files.items():
            temporary = path.with_name(f".{secrets.token_hex(8)}.part")
            tidied.callback(_remove, temporary)
            try:
                with temporary.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            except (OSError, ValueError) as error:
                raise _unwritable(path, error) from error
            beside[path] = temporary
        for path, temporary in beside.items():
            try:
                temporary.replace(path)
            except OSError as error:
                raise _unwritable(path, error) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (OSError, ValueError):
        return  # it was never made


def _unwritable(path: Path, error: Exception) -> BadInput:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadInput(f"cannot write {path}: {reason}")
