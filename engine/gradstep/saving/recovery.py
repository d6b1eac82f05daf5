"""Copies the whole lines of a session file that is cut off, so that the session can go on in a new one."""

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
    """Copy a file's whole lines; its header then says which file it continues.

    The new file gets its name when it is complete and on the disk: at no moment are there fewer actions.

    Args:
        path: The old file, which stays as it is.
        paths: Where the new one may be; the first that is free is taken.

    Returns:
        The new file.

    Raises:
        Busy: another program has the old one open.
        BadSessionFile: it cannot be read.
        OSError: the new one cannot be made.
    """
    old = SessionFile.open(path)  # so that no other program copies it, too
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
    # The first line differs, so every check does.
    lines, check = [], FIRST
    for struct in (replace(saved.header, continues=saved.path.name), *saved.records):
        line, check = sealed(encoder.encode(struct), check)
        lines.append(line)
    return b"".join(lines)


def _write_new(path: Path, data: bytes) -> None:
    """Make a file with content, or none at all.

    Raises:
        FileExistsError: something has this name.
        OSError: it cannot be made.
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
    """Give a file its name, unless something has it."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(17, "File exists", str(path)) from None
        os.rename(part, path)
