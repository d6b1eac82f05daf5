"""A damaged database file: what can be read goes into a new file, and the damaged one is kept beside it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

WAL: Final = "-wal"
"""Ending of the name of SQLite's write-ahead log."""


def connect(path: Path, patience: float = 5.0) -> sqlite3.Connection:
    """Return a connection that reads damaged texts, too; it waits `patience` seconds for a lock."""
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def is_damaged(path: Path) -> bool:
    """Return whether pages of a database file are damaged.

    Raises:
        sqlite3.Error: the file is no database, or cannot be read at all.
    """
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA user_version").fetchone()  # raises an error if it is no database
        try:
            return connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            return True


def salvage(path: Path) -> Path:
    """Replace a damaged file by a new one with all rows that can be read; return the damaged file's new path.

    Raises:
        sqlite3.Error: not even the list of the tables can be read.
        OSError: the disk cannot be written.
    """
    new = path.with_name(f".{path.name}.salvaged")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(path)) as damaged, closing(connect(new)) as whole:
        with suppress(sqlite3.Error):
            damaged.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        _copy(damaged, whole)
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    os.link(path, kept)
    log = path.with_name(path.name + WAL)
    if log.exists():  # otherwise SQLite would replay it into the new file
        os.rename(log, kept.with_name(kept.name + WAL))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    os.replace(new, path)  # at each moment there is a file of that name
    return kept


def _copy(damaged: sqlite3.Connection, whole: sqlite3.Connection) -> None:
    schema = damaged.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    (version,) = damaged.execute("PRAGMA user_version").fetchone()
    whole.execute("BEGIN")
    for kind in ("table", "index"):
        for _, _, statement in (row for row in schema if row[0] == kind):
            whole.execute(statement)
    tables = {name for kind, name, _ in schema if kind == "table"}
    for table in sorted(tables - {"actions"}):
        _insert(whole, table, _readable(damaged, table))
    if "actions" in tables:
        for (session,) in whole.execute("SELECT id FROM sessions").fetchall():
            _insert(whole, "actions", _readable(damaged, "actions", f"WHERE session = {int(session)}"))
    whole.execute(f"PRAGMA user_version = {version}")
    whole.execute("COMMIT")


def _readable(damaged: sqlite3.Connection, table: str, which: str = "") -> Iterator[tuple[Any, ...]]:
    """Yield the rows before the first damaged page, then those after the last one."""
    columns = damaged.execute(f"PRAGMA table_info({table})").fetchall()
    keys = [name for _, name, _, _, _, key in sorted(columns, key=lambda column: column[5]) if key] or [
        "rowid"
    ]
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{key} {direction}" for key in keys)
        try:
            yield from damaged.execute(f"SELECT * FROM {table} {which} ORDER BY {order}")
        except sqlite3.DatabaseError:
            continue
        return


def _insert(whole: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        marks = ", ".join("?" * len(row))
        whole.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
