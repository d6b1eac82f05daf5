"""What the server keeps of its learners: names, keys, sessions, every action. SQLite, written by one process.

Each change is a transaction of its own in a write-ahead log: what was committed survives the end of this
process at any moment. (A power cut may take the last moments: the log reaches the disk when SQLite
checkpoints it, https://sqlite.org/pragma.html#pragma_synchronous.)
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gradstep.actions import Action
from gradstep.errors import BadInput, EngineError
from gradstep.start import Start
from gradstep_tui.workshop.server.identity.codes import digest, has_digest
from gradstep_tui.workshop.wire.messages import Facts, Role, Told

VERSION: Final = 2

PATIENCE: Final = 0.2
"""Seconds to wait for somebody else who has the file: nobody should, and everybody in the class waits."""

SCHEMA: Final = """
CREATE TABLE learners (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, code TEXT NOT NULL, hand REAL NOT NULL DEFAULT 0,
    allows INTEGER NOT NULL DEFAULT 1, seen TEXT NOT NULL DEFAULT '',
    told BLOB NOT NULL DEFAULT '[]', missed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE keys (
    name TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (name, fingerprint)
) WITHOUT ROWID;
CREATE TABLE sessions (id INTEGER PRIMARY KEY, name TEXT NOT NULL, start BLOB NOT NULL);
CREATE INDEX latest ON sessions (name, id);
CREATE TABLE actions (
    session INTEGER NOT NULL, number INTEGER NOT NULL, action BLOB NOT NULL, facts BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
"""

FROM_1: Final = """
ALTER TABLE learners ADD COLUMN told BLOB NOT NULL DEFAULT '[]';
ALTER TABLE learners ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
"""
"""What version 1 had not kept: what the instructor has said."""

_actions = msgspec.json.Decoder(Action)
_starts = msgspec.json.Decoder(Start)
_facts = msgspec.json.Decoder(Facts)
_told = msgspec.json.Decoder(tuple[Told, ...])


@dataclass(frozen=True, slots=True)
class Learner:
    """What is known of a name that was taken."""

    name: str
    role: Role
    hand: float
    """Since when a hand is up, in seconds since 1970; 0 where it is not."""

    allows: bool
    seen: tuple[str, ...]
    told: tuple[Told, ...]
    """What the instructor has said to them."""

    missed: int
    """How many of that came while they were away."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A learner's session: enough to be exactly where it was."""

    number: int
    """The session's, in the store."""

    start: Start
    actions: tuple[Action, ...]
    refused: tuple[int, ...]
    """Which of them PyTorch refused, counted from 0."""

    facts: Facts
    """After the last action."""

    at: float | None
    """When that was, in seconds since 1970; None where there was none."""


class StoreError(EngineError):
    """Something could not be kept: the disk is full, or gone."""


class Store:
    """The file, which no other process may have open."""

    def __init__(self, folder: Path) -> None:
        """Open `workshop.db` in a folder, or make it.

        Raises:
            BadInput: it cannot be used, or another server has it.
        """
        path = folder / "workshop.db"
        try:
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"another server uses {folder}: stop that one, or choose another --state"
            ) from None
        except OSError as error:
            raise BadInput(f"{folder} cannot be used: {error.strerror}") from None
        try:
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            os.chmod(path, 0o600)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._make()
        except (sqlite3.Error, OSError) as error:
            raise BadInput(f"{path} cannot be used: {error}") from None

    def _make(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version == 1:
            self._db.executescript(f"BEGIN; {FROM_1} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise BadInput(f"the workshop's file is of version {version}: this program reads {VERSION}")

    def close(self) -> None:
        """Leave the file in order."""
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Have what is done inside be kept, all or nothing.

        Raises:
            StoreError: it cannot be.
        """
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise StoreError(f"the workshop cannot write to its disk ({error})") from None

    # Names

    def learner(self, name: str) -> Learner | None:
        """Give who took a name; None where nobody has."""
        row = self._db.execute(
            "SELECT name, role, hand, allows, seen, told, missed FROM learners WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            return None
        seen = tuple(filter(None, row[4].split(",")))
        return Learner(row[0], row[1], row[2], bool(row[3]), seen, _told.decode(row[5]), row[6])

    def learners(self) -> list[Learner]:
        """Give all, by name."""
        names = self._db.execute("SELECT name FROM learners ORDER BY name").fetchall()
        return [one for (name,) in names if (one := self.learner(name)) is not None]

    def take(self, name: str, role: Role, code: str, fingerprints: Iterable[str] = ()) -> bool:
        """Give a name to whoever asks first, with a resume code and keys; whether it was still free.

        Raises:
            StoreError: it cannot be kept.
        """
        with self._writing():
            try:
                self._db.execute(
                    "INSERT INTO learners (name, role, code) VALUES (?, ?, ?)", (name, role, digest(code))
                )
            except sqlite3.IntegrityError:
                return False
            self._db.executemany(
                "INSERT OR IGNORE INTO keys VALUES (?, ?)", [(name, one) for one in fingerprints]
            )
        return True

    def release(self, name: str) -> None:
        """Have a name be free again, with nothing of it left.

        Raises:
            StoreError: it cannot be done.
        """
        with self._writing():
            self._db.execute(
                "DELETE FROM actions WHERE session IN (SELECT id FROM sessions WHERE name = ?)", (name,)
            )
            for table in ("sessions", "keys", "learners"):
                self._db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))

    def has_code(self, name: str, code: str) -> bool:
        """Whether it is the name's resume code."""
        row = self._db.execute("SELECT code FROM learners WHERE name = ?", (name,)).fetchone()
        return has_digest(code, digest("") if row is None else row[0]) and row is not None

    def has_key(self, name: str, fingerprint: str) -> bool:
        """Whether the name was taken with this key."""
        found = self._db.execute("SELECT 1 FROM keys WHERE name = ? AND fingerprint = ?", (name, fingerprint))
        return found.fetchone() is not None

    def mark(self, name: str, hand: float, allows: bool, told: Sequence[Told], missed: int) -> None:
        """Keep a raised hand, whether others may watch, and what the instructor has said.

        Raises:
            StoreError: it cannot be kept.
        """
        with self._writing():
            self._db.execute(
                "UPDATE learners SET hand = ?, allows = ?, told = ?, missed = ? WHERE name = ?",
                (hand, allows, msgspec.json.encode(told), missed, name),
            )

    # Sessions

    def begin(self, name: str, start: Start) -> int:
        """Keep a new session; gives its number.

        Raises:
            StoreError: it cannot be kept.
        """
        encoded = msgspec.json.encode(start)
        with self._writing():
            made = self._db.execute("INSERT INTO sessions (name, start) VALUES (?, ?)", (name, encoded))
        assert made.lastrowid is not None
        return made.lastrowid

    def add(self, name: str, session: int, number: int, done: Sequence[tuple[Action, Facts]]) -> None:
        """Keep actions, all or none; `number` is that of the first, counted from 1 in the session.

        Raises:
            StoreError: they cannot be kept.
        """
        seen, now = ",".join(done[-1][1].seen), time.time()
        rows = [
            (session, at, msgspec.json.encode(action), msgspec.json.encode(facts), now)
            for at, (action, facts) in enumerate(done, number)
        ]
        with self._writing():
            self._db.executemany("INSERT INTO actions VALUES (?, ?, ?, ?, ?)", rows)
            self._db.execute("UPDATE learners SET seen = ? WHERE name = ?", (seen, name))

    def session(self, name: str) -> Kept | None:
        """Give a learner's last session; None where there was none."""
        row = self._db.execute(
            "SELECT id, start FROM sessions WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)
        ).fetchone()
        if row is None:
            return None
        done = self._db.execute(
            "SELECT action, facts, at FROM actions WHERE session = ? ORDER BY number", (row[0],)
        ).fetchall()
        facts = [_facts.decode(one) for _, one, _ in done]
        actions = tuple(_actions.decode(action) for action, _, _ in done)
        refused = tuple(number for number, one in enumerate(facts) if one.error)
        last = facts[-1] if facts else Facts()
        return Kept(row[0], _starts.decode(row[1]), actions, refused, last, done[-1][2] if done else None)
