"""Writes exports to files: either all of them or none, and never part of a file."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput, Exists
from gradstep.exports.export import Export

ENDINGS: Final = (".py", ".ipynb", ".csv")
PICTURE: Final = ".svg"
HIDING: Final = sys.stdlib_module_names | {"torch", "numpy"}
"""Names of modules that torch imports: an exported script of such a name would hide the module from it."""


def check_exports(to: str | Path, problem: str, endings: Iterable[str] = ENDINGS) -> None:
    """Raise an error if a session cannot be exported to `to`; nothing is written.

    Args:
        to: A folder, or the common name of the files, as for `write_exports`.
        problem: Name of the session's problem, for the files' names if `to` is a folder.
        endings: Endings of the files that would be written.

    Raises:
        Exists: one of the files exists already.
        BadInput: one of the files cannot be written; the message says why.
    """
    base = _base(Path(to), problem)
    if not base.absolute().parent.is_dir():
        raise BadInput(f"cannot write {base}: there is no folder {base.absolute().parent}")
    for ending in endings:
        _check(base.with_name(base.name + ending), force=False)


def check_spares(to: str | Path, problem: str, source: Path, modules: Iterable[Path] = ()) -> None:
    """Raise an error if an export to `to` would overwrite what the session trains.

    Args:
        to: A folder, or the common name of the files, as for `write_exports`.
        problem: Name of the session's problem.
        source: File that the session trains.
        modules: Files of the modules beside it that it imports.

    Raises:
        BadInput: one of the files to write is among these.
    """
    base = _base(Path(to), problem)
    modules = list(modules)
    for ending in (*ENDINGS, PICTURE):
        path = base.with_name(base.name + ending)
        if _is_same(path, source):
            raise BadInput(f"{path} is the file that this session trains: choose another name")
        if any(_is_same(path, module) for module in modules):
            raise BadInput(f"{path} is a module that this session's script imports: choose another name")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # a path that does not or cannot exist is no other file
        return False


def default_name(folder: Path, problem: str, source: Path | None) -> str:
    """Return the common name for files in a folder, if the learner gives none.

    Args:
        folder: Folder for the files.
        problem: Name of the session's problem, which the files get unless it would be refused.
        source: File that the session trains; None for a built-in problem.
    """
    try:
        _base(folder / f"{problem}.py", problem)
        if source is not None:
            check_spares(folder / f"{problem}.py", problem, source)
    except BadInput:
        return "_".join((problem, "gradstep"))
    return problem


def write_exports(to: str | Path, export: Export, *, force: bool = False) -> tuple[Path, ...]:
    """Write the script, the notebook and the loss history, and the picture if the export has one.

    Args:
        to: A folder, for files named after the problem; or the files' common name, with or without the ending
            `.py`, `.ipynb`, `.csv` or `.svg`. The folder must exist.
        export: Texts to write.
        force: Whether files that exist already are replaced.

    Returns:
        The paths written, in the order `.py`, `.ipynb`, `.csv` and, if there is a picture, `.svg`.

    Raises:
        Exists: a file exists already.
        BadInput: a file cannot be written; the message says which, and why. No file has changed, unless
            renaming a finished file, the very last step, failed.
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
    if os.path.isdir(to):  # unlike `Path.is_dir`, never raises for an odd name
        to = to / problem
    elif to.suffix in (*ENDINGS, PICTURE):
        to = to.with_suffix("")
    if to.name in HIDING:
        raise BadInput(
            f"a script called {to.name}.py would hide the module {to.name} from Python: choose another name"
        )
    if not to.name or to.name == "..":
        raise BadInput(f"{str(to)!r} does not end in a file name: add one")
    return to


def _check(path: Path, force: bool) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # e.g. a name that is too long, or contains a zero byte
        raise _unwritable(path, error) from error
    if stat.S_ISDIR(mode):
        raise BadInput(f"cannot write {path}: it is a folder")
    if not force:
        raise Exists(path)


def _write(files: Mapping[Path, str]) -> None:
    """Write each text to a temporary file beside its target; replace the targets once all are written."""
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
        return  # the temporary file was never made


def _unwritable(path: Path, error: Exception) -> BadInput:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadInput(f"cannot write {path}: {reason}")
