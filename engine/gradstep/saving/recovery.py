"""Copies the complete lines of a cut-off session file into a new file, in which the session continues."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from gradstep.saving.checksum import FIRST, sealed
from gradstep.saving.reader import SavedSession, parsed
from gradstep.saving.records import encoder
from gradstep.saving.session_file import SessionFile


def copied(path: Path, paths: Iterable[Path]) -> Path:
    """Copy the complete lines of a session file and return the path of the copy.

    The header of the copy names the original. The copy gets its own name only when it is complete and on the
    disk, so a crash loses no action.

    Args:
        path: Path of the original, which is not changed.
        paths: Candidate paths for the copy, of which the first free one is used.

    Raises:
        Busy: Another program has the original open.
        BadSessionFile: The original cannot be read.
        OSError: The copy cannot be created.
    """
    old = SessionFile.open(path)  # locked, so that no other program copies it as well
    try:
        data = _whole_lines(parsed(path, old.read(), allow_torn=True))
        for new in paths:
            with suppress(FileExistsError):
                _write_new(new, data)
                return new
        raise FileExistsError(17, "no name is free", str(path.parent))
    finally:
        old.close()


def _whole_lines(saved: SavedSession) -> bytes:
    # The first line differs, and so does every checksum after it.
    lines, check = [], FIRST
    for struct in (replace(saved.header, continues=saved.path.name), *saved.records):
        line, check = sealed(encoder.encode(struct), check)
        lines.append(line)
    return b"".join(lines)


def _write_new(path: Path, data: bytes) -> None:
    """Create a file with its whole content, or leave nothing.

    Raises:
        FileExistsError: The path is taken.
        OSError: The file cannot be created.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = SessionFile.create(part)
        try:
            file.append(data)
            file.sync()
        finally:
            file.close()
        _rename(part, path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            part.unlink()


def _rename(part: Path, path: Path) -> None:
    """Rename a file unless the new name is taken.

    Raises:
        FileExistsError: The new name is taken.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(17, "File exists", str(path)) from None
        os.rename(part, path)
