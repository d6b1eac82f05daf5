"""The folder of saved sessions: names for new files, and the session to offer for resuming."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Final

from gradstep.saving.checksum import FIRST, unsealed
from gradstep.saving.reader import UNREADABLE, BadSessionFile, SavedSession, read_session_file
from gradstep.saving.records import header_decoder
from gradstep.saving.session_file import in_use

MOST_READ: Final = 20
"""Newest files that are searched for an unfinished session."""

_ENDING: Final = ".jsonl"
_CLOSED: Final = b'\n{"what":"closed",'
_PART: Final = 4096
"""Bytes within which the first line fits, and so does the last line of a properly closed session."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Result of a search for a session that was not closed properly."""

    session: SavedSession | None
    """Newest session that was not closed and that no program has open; its file may be cut off."""

    bad: tuple[BadSessionFile, ...] = ()
    """Errors of the files that cannot be read, newest first; the files are not changed."""


class Store:
    """The folder in which sessions are saved automatically."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder, which need not exist; None for the folder in the user's state directory."""
        if folder is None:
            import platformdirs

            folder = platformdirs.user_state_path("gradstep", appauthor=False) / "sessions"
        self.folder = folder

    def paths(self, problem: str) -> Iterator[Path]:
        """Yield endless candidate paths for a new session's file, best first, and create the folder.

        Args:
            problem: Title of the problem, which becomes a part of the name.

        Raises:
            OSError: The folder cannot be created.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{problem}"
        yield self.folder / f"{name}{_ENDING}"
        for number in count(2):
            yield self.folder / f"{name}-{number}{_ENDING}"

    def newest(self) -> Path | None:
        """Return the path of the file that was written last, or None if the folder has no session."""
        return next(self.newest_first(), None)

    def unfinished(self) -> Unfinished:
        """Return the newest session that can be resumed, and unreadable files' errors; change no file."""
        bad, continued = list[BadSessionFile](), set[str]()
        for path in islice(self.newest_first(), MOST_READ):
            if path.name not in continued and not _left_in_order(path) and not in_use(path):
                try:
                    saved = read_session_file(path, allow_torn=True)
                except BadSessionFile as error:
                    bad.append(error)
                    continue
                if saved.actions:
                    return Unfinished(saved, tuple(bad))
            continued.add(_continues(path))
        return Unfinished(None, tuple(bad))

    def newest_first(self) -> Iterator[Path]:
        """Yield the paths of the files, the one written last first."""
        found = list[tuple[int, str]]()
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    # A program that is killed just after it created a file leaves the file empty.
                    if _is_ours(entry.name) and (status := entry.stat()).st_size:
                        found.append((status.st_mtime_ns, entry.name))
        for _, name in sorted(found, reverse=True):
            yield self.folder / name


def _is_ours(name: str) -> bool:
    return name.endswith(_ENDING) and not name.startswith(".")


def _left_in_order(path: Path) -> bool:
    """Return whether the last line of a file marks the session as closed."""
    with suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _PART))
        tail = file.read(_PART)
        return tail.endswith(b"\n") and tail.rfind(_CLOSED) == tail.rfind(b"\n", 0, -1) != -1
    return False


def _continues(path: Path) -> str:
    """Return the name of the file that a file continues, or an empty string if it continues none."""
    with suppress(OSError, *UNREADABLE), open(path, "rb") as file:
        content, _ = unsealed(file.readline(_PART).rstrip(b"\n"), FIRST)
        return header_decoder.decode(content).continues or ""
    return ""
