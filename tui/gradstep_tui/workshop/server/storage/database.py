"""The database file: opened by one process, created whole, checked at the start, written in transactions.

Each change is a transaction of its own in a write-ahead log: a committed change survives the end of this
process at any moment. (A power cut may lose the last moments: the log reaches the disk when SQLite
checkpoints it, https://sqlite.org/pragma.html#pragma_synchronous.)
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from gradstep.errors import BadInput, EngineError
from gradstep_tui.workshop.server.storage.salvage import connect, is_damaged, salvage
from gradstep_tui.workshop.server.storage.schema import create, keep_orphans, prepare

PATIENCE: Final = 0.2
"""Seconds to wait for another process that has the file locked: none should, and the whole class waits."""

REMOVED: Final = "its database was removed or replaced while the server was running"


class StoreError(EngineError):
    """The database cannot be read or written, e.g. because the disk is full."""

    def __init__(self, reason: str) -> None:
        """Carry the database's own error message."""
        super().__init__(f"The workshop cannot write to its disk ({reason}). Please tell the instructor.")
        self.reason = reason


class Database:
    """The file `workshop.db` in the state folder, which no other process may have open."""

    def __init__(self, folder: Path, log: Callable[..., None]) -> None:
        """Open the file; create it if it is missing, convert it if it is old, salvage it if it is damaged.

        Args:
            folder: The state folder.
            log: Called with the name of an event and its facts.

        Raises:
            BadInput: it cannot be opened, or another server has it open.
        """
        self._path = folder / "workshop.db"
        self._lock = _locked(folder)
        try:
            self.connection = self._opened(log)
            found = self._path.stat()
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise BadInput(
                f"{self._path} cannot be used: {reason_of(error)}. Restore a copy of it, or choose another "
                "folder with --state; the file is left as it is"
            ) from None
        except BadInput:
            os.close(self._lock)
            raise
        self._file = found.st_dev, found.st_ino

    def close(self) -> None:
        """Close the file and release the lock."""
        self.connection.close()
        os.close(self._lock)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction.

        Raises:
            StoreError: it cannot be committed.
        """
        self._require_file()
        try:
            with self.connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        except sqlite3.Error as error:
            raise StoreError(str(error)) from None

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            return self.connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(str(error)) from None

    def row(self, query: str, parameters: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row that a query finds; None if there is none.

        Raises:
            StoreError: the file cannot be read.
        """
        return next(iter(self.rows(query, parameters)), None)

    def _require_file(self) -> None:
        """Refuse to write into a file that has no name any more: nobody would ever read it.

        Raises:
            StoreError: the file was removed, or another one has taken its place.
        """
        try:
            found = self._path.stat()
        except OSError:
            raise StoreError(REMOVED) from None
        if (found.st_dev, found.st_ino) != self._file:
            raise StoreError(REMOVED)

    def _opened(self, log: Callable[..., None]) -> sqlite3.Connection:
        """Return a connection to a file that is whole and of today's version."""
        self._create_if_missing()
        salvaged = is_damaged(self._path)
        if salvaged:
            log("database damaged", kept=salvage(self._path).name)
        connection = connect(self._path, PATIENCE)
        try:
            os.chmod(self._path, 0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if prepare(connection, self._path) or salvaged:
                for name in keep_orphans(connection):
                    log("set aside", name=name, why="nobody owns the name of this session")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create_if_missing(self) -> None:
        """Create the file with its tables, as a whole or not at all: a server may be killed at any moment."""
        if self._path.exists():
            if not self._path.stat().st_size:
                raise BadInput(
                    f"{self._path} is empty, so names and sessions are lost: restore a copy of the file, or "
                    "remove it to begin a new class"
                )
            return
        new = self._path.with_name(".workshop.db.new")
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(new, PATIENCE)) as connection:
            create(connection)
        os.rename(new, self._path)


def _locked(folder: Path) -> int:
    """Return the descriptor of the folder's lock file, locked.

    Raises:
        BadInput: another server has locked it, or the folder cannot be used.
    """
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInput(f"{folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            raise BadInput(
                f"another server uses {folder}: stop that server, or choose another folder with --state"
            ) from None
        raise BadInput(f"{folder} cannot be used: {error.strerror}") from None
    return lock


def reason_of(error: Exception) -> str:
    """Return an error in words; SQLite calls a full disk an I/O error when it opens a file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return f"{error} (is the disk full?)"
    return str(error)
