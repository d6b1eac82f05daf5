"""The folder of saved sessions: names for new ones, and the one to go on with."""

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

LOOKED_AT: Final = 20
"""How many of the newest files are looked at for one to go on with."""

_ENDING: Final = ".jsonl"
_CLOSED: Final = b'\n{"what":"closed",'
_PART: Final = 4096
"""Bytes that hold a first line, and the last one of a session that was left in order."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What the newest files in the folder say about how the last sessions ended."""

    session: SavedSession | None
    """The newest that was not left in order, and that no program has open; its end may be cut off."""

    bad: tuple[BadSessionFile, ...] = ()
    """What is wrong with those that cannot be read, newest first; they stay as they are."""


class Store:
    """The folder in which sessions are saved by themselves."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder, which need not be there; None for the one in the user's state directory."""
        if folder is None:
            import platformdirs

            folder = platformdirs.user_state_path("gradstep", appauthor=False) / "sessions"
        self.folder = folder

    def paths(self, problem: str) -> Iterator[Path]:
        """Give names for a new session's file, best first, without end; makes the folder.

        Raises:
            OSError: the folder cannot be made.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{problem}"
        yield self.folder / f"{name}{_ENDING}"
        for number in count(2):
            yield self.folder / f"{name}-{number}{_ENDING}"

    def newest(self) -> Path | None:
        """Give the file that was written to last; None where there is none."""
        return next(self._newest_first(), None)

    def unfinished(self) -> Unfinished:
        """Look for the session to go on with; changes nothing."""
        bad, continued = list[BadSessionFile](), set[str]()
        for path in islice(self._newest_first(), LOOKED_AT):
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

    def _newest_first(self) -> Iterator[Path]:
        """Give the files by the time at which they were last written to."""
        found = list[tuple[int, str]]()
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    # An empty one is what a program leaves that was killed when it had just made it.
                    if _is_ours(entry.name) and (status := entry.stat()).st_size:
                        found.append((status.st_mtime_ns, entry.name))
        for _, name in sorted(found, reverse=True):
            yield self.folder / name


def _is_ours(name: str) -> bool:
    return name.endswith(_ENDING) and not name.startswith(".")


def _left_in_order(path: Path) -> bool:
    """Whether the last line says so."""
    with suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _PART))
        tail = file.read(_PART)
        return tail.endswith(b"\n") and tail.rfind(_CLOSED) == tail.rfind(b"\n", 0, -1) != -1
    return False


def _continues(path: Path) -> str:
    """Give the name of the file that this one goes on from; empty where there is none."""
    with suppress(OSError, *UNREADABLE), open(path, "rb") as file:
        content, _ = unsealed(file.readline(_PART).rstrip(b"\n"), FIRST)
        return header_decoder.decode(content).continues or ""
    return ""
