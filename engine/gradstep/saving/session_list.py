"""Saved sessions as a list: what each is, read from the ends of its file, and which are beyond the bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput, EngineError
from gradstep.saving.checksum import FIRST, unsealed
from gradstep.saving.reader import LONGEST_LINE, UNREADABLE
from gradstep.saving.records import Closed, Did, Header, Record, header_decoder, record_decoder
from gradstep.saving.session_file import Busy, in_use
from gradstep.saving.session_folder import Store

MOST_SESSIONS: Final = 200
"""Sessions beyond which a notice says which of them are the oldest."""

MOST_BYTES: Final = 500_000_000
"""Bytes of all sessions beyond which a notice says which of them are the oldest."""


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A saved session, as the ends of its file describe it."""

    path: Path
    size: int
    """Bytes of the file."""

    header: Header | None
    """First line of the file; None if it cannot be read."""

    last: Did | None
    """Last complete action; None if there is none."""

    in_order: bool
    """Whether the session was closed properly."""

    @property
    def actions(self) -> int:
        """Number of complete actions."""
        return 0 if self.last is None else self.last.number

    @property
    def epochs(self) -> int:
        """Number of complete epochs at the end."""
        return 0 if self.last is None else self.last.epoch

    @property
    def started(self) -> datetime | None:
        """Local time at which the session began; None if the file cannot be read."""
        return None if self.header is None else self.header.started.astimezone()


def listed_session(path: Path) -> ListedSession:
    """Return what the ends of a session's file say, without reading what is between.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = _header(file.readline(LONGEST_LINE))
        file.seek(max(0, size - 2 * LONGEST_LINE))
        *lines, cut_off = file.read(2 * LONGEST_LINE).split(b"\n")
    last, in_order = None, False
    for index, line in enumerate(reversed(lines)):
        record = _record(line)
        in_order |= index == 0 and isinstance(record, Closed) and not cut_off
        if isinstance(record, Did):
            last = record
            break
    return ListedSession(path, size, header, last, in_order)


def listed_sessions(store: Store) -> Iterator[ListedSession]:
    """Yield all sessions of a folder, the one written last first."""
    for path in store.newest_first():
        with suppress(OSError):
            yield listed_session(path)


def session_named(store: Store, name: str) -> Path:
    """Return the path of the session with a name, which may lack its ending or all but an unambiguous start.

    Raises:
        BadInput: No session or more than one has this name.
    """
    paths = list(store.newest_first())
    exact = [path for path in paths if name in (path.name, path.stem)]
    found = exact or [path for path in paths if name and path.name.startswith(name)]
    if len(found) > 1:
        raise BadInput(f"the names of {len(found)} saved sessions begin with {name[:80]!r}: write more of it")
    if not found:
        raise BadInput(f"no saved session is called {name[:80]!r}: `gradstep sessions` lists them")
    return found[0]


def delete_session(path: Path) -> None:
    """Delete a session that no program has open.

    Raises:
        EngineError: A program has the session open, or the file cannot be deleted.
    """
    if in_use(path):
        raise Busy(path)
    try:
        path.unlink()
    except OSError as error:
        raise EngineError(f"{path}: cannot be deleted: {error.strerror}") from None


def beyond_bounds(
    store: Store, most_sessions: int = MOST_SESSIONS, most_bytes: int = MOST_BYTES
) -> Sequence[Path]:
    """Return the paths of the sessions beyond the bounds, the one written last first; nothing is deleted.

    The session written last is never among them.

    Args:
        store: Folder of the sessions.
        most_sessions: Number of sessions within the bounds.
        most_bytes: Bytes of all sessions within the bounds.
    """
    beyond, total = list[Path](), 0
    for index, path in enumerate(store.newest_first()):
        with suppress(OSError):
            total += path.stat().st_size
        if index and (index >= most_sessions or total > most_bytes):
            beyond.append(path)
    return beyond


def _header(line: bytes) -> Header | None:
    with suppress(*UNREADABLE):
        content, _ = unsealed(line.rstrip(b"\n"), FIRST)
        return header_decoder.decode(content)
    return None


def _record(line: bytes) -> Record | None:
    with suppress(*UNREADABLE):
        content, _ = unsealed(line, FIRST)
        record: Record = record_decoder.decode(content)
        return record
    return None
