"""Exports a session as a script, a notebook, a loss history and a picture of the screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import BadInput
from gradstep_tui.commands.parsers import EXPORT, complain, complain_of

if TYPE_CHECKING:
    from gradstep.session import Session

INTERRUPTED = 130
"""Exit code after ctrl+c."""


class Exports:
    """Chooses the folder of a learner's files, and their names in messages."""

    def place(self, to: str) -> str:
        """Return the path for a name that the learner typed.

        Raises:
            BadInput: no file can be written there.
        """
        return os.path.expanduser(to)

    @property
    def lands(self) -> str:
        """Sentence that says in which folder the files will be."""
        return f"They are written into {Path.cwd()}, unless the name begins with a folder."

    def shown(self, path: str | os.PathLike[str]) -> str:
        """Return the path of an existing file as messages show it."""
        return os.fspath(path)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Run a block that writes files, and that names them in errors as messages show them."""
        yield

    def told(self, paths: Sequence[Path]) -> str:
        """Return the message that names the files written."""
        return written_text(paths)


def exports_of(app: object) -> Exports:
    """Return an app's own `exports`, or the default, which writes anywhere."""
    found = getattr(app, "exports", None)
    return found if isinstance(found, Exports) else Exports()


def export_session(session: Session, to: str, *, picture: str = "", force: bool = False) -> tuple[Path, ...]:
    """Replay a session from its start, write it to files, and return their paths.

    Args:
        session: Session to export; it is not changed.
        to: A folder, or the files' common name without an ending.
        picture: An SVG of the screen; empty for no picture.
        force: Whether files that exist already are replaced.

    Raises:
        Exists: a file exists already.
        BadInput: the files cannot be written, or the session's problem was not loaded from a script.
    """
    to = os.path.expanduser(to)
    if os.path.isdir(to):
        to = os.path.join(to, f"{default_export_name(session, to)}.py")
    from gradstep.exports.export import export
    from gradstep.exports.export_files import ENDINGS, PICTURE, check_exports, check_spares, write_exports
    from gradstep.scripts.local_modules import module_files

    if session.origin is None:
        session.line()  # which a recording refuses
        raise BadInput("only a session of a built-in problem, a script or a CSV file can be exported")
    if session.origin.has_file:
        modules = () if session.source is None else module_files(session.source)
        check_spares(to, session.origin.title, Path(session.origin.problem), modules)
    if not force:  # before the work, not after it
        check_exports(to, session.origin.title, (*ENDINGS, PICTURE) if picture else ENDINGS)
    made = replace(export(session.origin, session.line(), session.source), picture=picture)
    return write_exports(to, made, force=force)


def default_export_name(session: Session, folder: str = ".") -> str:
    """Return the common name of a session's files in a folder, if the learner gives none."""
    from gradstep.exports.export_files import default_name

    origin = session.origin
    if origin is None:
        return session.problem.name
    source = Path(origin.problem) if origin.has_file else None
    return default_name(Path(folder), origin.title, source)


def picture_writer(picture: str, exports: Exports) -> Callable[[str], str]:
    """Return a function that writes a picture to a new file of a given name, and returns a message.

    Args:
        picture: Text of the SVG.
        exports: Chooses the folder.
    """

    def write(to: str) -> str:
        with exports.telling():
            path = Path(exports.place(to.strip()))
            path = path if path.suffix == ".svg" else path.with_name(f"{path.name}.svg")
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(picture)
            except FileExistsError:
                raise BadInput(f"{path} exists already; choose another name") from None
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else None
                raise BadInput(f"cannot write {path}: {reason or error}") from None
        return exports.told([path])

    return write


def written_text(paths: Sequence[Path]) -> str:
    """Return the message that names the files written and their folder."""
    folder = paths[0].absolute().parent
    return f"wrote {', '.join(path.name for path in paths)} in {folder}"


def export_file(saved: Path, to: str, *, force: bool) -> int:
    """Export a saved session, and return the exit code.

    Args:
        saved: Path of the session file.
        to: A folder, or the files' common name without an ending.
        force: Whether files that exist already are replaced.
    """
    from gradstep.errors import EngineError, Exists
    from gradstep.saving.reader import read_session_file
    from gradstep.saving.replay import replay

    try:
        replayed = replay(read_session_file(saved))
        written = written_text(export_session(replayed.session, to, force=force))
    except Exists as error:
        return complain(f"{error}; --force replaces it", EXPORT, hint=False)
    except EngineError as error:
        return complain_of(error, EXPORT, hint=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    print(written.encode(errors="backslashreplace").decode())  # a file name may hold bytes that are not text
    return 0
