"""The server's database of participants: names, keys, sessions, every action. SQLite, written by one process.

Each change is a transaction of its own in a write-ahead log: a committed change survives the end of this
process at any moment. (A power cut may lose the last moments: the log reaches the disk when SQLite
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
from gradstep_tui.workshop.server.storage.schema import prepare
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import Role, Told

PATIENCE: Final = 0.2
"""Seconds to wait for another process that has the file locked: none should, and the whole class waits."""

_actions = msgspec.json.Decoder(Action)
_starts = msgspec.json.Decoder(Start)
_facts = msgspec.json.Decoder(Facts)
_told = msgspec.json.Decoder(tuple[Told, ...])


@dataclass(frozen=True, slots=True)
class Learner:
    """The owner of a name."""

    name: str
    role: Role
    hand: float
    """Time at which the hand was raised, in seconds since 1970; 0 if it is down."""

    allows: bool
    """Whether an instructor may watch."""

    seen: tuple[str, ...]
    """Identifiers of the milestones that the learner has reached."""

    told: tuple[Told, ...]
    """The last messages of instructors, the oldest first."""

    missed: int
    """Number of messages that arrived while the learner was logged out."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A learner's session, complete enough to be made again bit for bit."""

    number: int
    """Number of the session in the database."""

    start: Start
    actions: tuple[Action, ...]
    refused: tuple[int, ...]
    """Indices of the actions that PyTorch refused, counted from 0."""

    facts: Facts
    """Facts after the last action."""

    at: float | None
    """Time of the last action, in seconds since 1970; None if there is none."""


class StoreError(EngineError):
    """The database cannot be written, e.g. because the disk is full."""

    def __init__(self, reason: str) -> None:
        """Carry the database's own error message."""
        super().__init__(f"The workshop cannot write to its disk ({reason}). Please tell the instructor.")
        self.reason = reason


class Store:
    """The database file, which no other process may have open."""

    def __init__(self, folder: Path) -> None:
        """Open `workshop.db` in a folder; create it if it is missing.

        Raises:
            BadInput: it cannot be opened, or another server has it open.
        """
        path = folder / "workshop.db"
        try:
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"another server uses {folder}: stop that server, or choose another folder with --state"
            ) from None
        except OSError as error:
            raise BadInput(f"{folder} cannot be used: {error.strerror}") from None
        try:
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            os.chmod(path, 0o600)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            prepare(self._db)
        except (sqlite3.Error, msgspec.DecodeError, OSError) as error:
            raise BadInput(f"{path} cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file and release the lock."""
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Run the block as one transaction.

        Raises:
            StoreError: it cannot be committed.
        """
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise StoreError(str(error)) from None

    # Names

    def learner(self, name: str) -> Learner | None:
        """Return the owner of a name; None if it is free."""
        row = self._db.execute(
            "SELECT name, role, hand, allows, seen, told, missed FROM learners WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            return None
        name, role, hand, allows, seen, told, missed = row
        return Learner(
            name=name,
            role=role,
            hand=hand,
            allows=bool(allows),
            seen=tuple(filter(None, seen.split(","))),
            told=_told.decode(told),
            missed=missed,
        )

    def learners(self) -> list[Learner]:
        """Return the owners of all names, sorted by name."""
        names = self._db.execute("SELECT name FROM learners ORDER BY name").fetchall()
        return [learner for (name,) in names if (learner := self.learner(name)) is not None]

    def take(self, name: str, role: Role, code: str, fingerprints: Iterable[str] = ()) -> bool:
        """Assign a free name to an owner; return False if the name is not free.

        Args:
            name: The name.
            role: Role of the owner.
            code: Resume code, of which only the hash is stored.
            fingerprints: Fingerprints of the owner's keys.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._writing():
            try:
                self._db.execute(
                    "INSERT INTO learners (name, role, code) VALUES (?, ?, ?)", (name, role, digest(code))
                )
            except sqlite3.IntegrityError:
                return False
            self._db.executemany(
                "INSERT OR IGNORE INTO keys VALUES (?, ?)",
                [(name, fingerprint) for fingerprint in fingerprints],
            )
        return True

    def release(self, name: str) -> None:
        """Free a name, and delete everything of its owner.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._writing():
            self._db.execute(
                "DELETE FROM actions WHERE session IN (SELECT id FROM sessions WHERE name = ?)", (name,)
            )
            for table in ("sessions", "keys", "learners"):
                self._db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))

    def has_code(self, name: str, code: str) -> bool:
        """Return whether a code is the resume code of a name."""
        row = self._db.execute("SELECT code FROM learners WHERE name = ?", (name,)).fetchone()
        return has_digest(code, digest("") if row is None else row[0]) and row is not None

    def has_key(self, name: str, fingerprint: str) -> bool:
        """Return whether a key belongs to the owner of a name."""
        found = self._db.execute("SELECT 1 FROM keys WHERE name = ? AND fingerprint = ?", (name, fingerprint))
        return found.fetchone() is not None

    def mark(self, name: str, *, hand: float, allows: bool, told: Sequence[Told], missed: int) -> None:
        """Store a learner's hand, the permission to watch, and the instructors' messages.

        Args:
            name: Name of the learner.
            hand: Time at which the hand was raised, in seconds since 1970; 0 if it is down.
            allows: Whether an instructor may watch.
            told: The last messages, the oldest first.
            missed: Number of messages that arrived while the learner was logged out.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._writing():
            self._db.execute(
                "UPDATE learners SET hand = ?, allows = ?, told = ?, missed = ? WHERE name = ?",
                (hand, allows, msgspec.json.encode(told), missed, name),
            )

    # Sessions

    def begin(self, name: str, start: Start) -> int:
        """Store a new session, and return its number.

        Raises:
            StoreError: the database cannot be written.
        """
        encoded = msgspec.json.encode(start)
        with self._writing():
            inserted = self._db.execute("INSERT INTO sessions (name, start) VALUES (?, ?)", (name, encoded))
        assert inserted.lastrowid is not None
        return inserted.lastrowid

    def add(self, name: str, session: int, number: int, done: Sequence[tuple[Action, Facts]]) -> None:
        """Store actions of a session, all or none.

        Args:
            name: Name of the learner.
            session: Number of the session in the database.
            number: Number of the first of the actions in the session, counted from 1.
            done: The actions, each with the facts after it.

        Raises:
            StoreError: the database cannot be written.
        """
        seen, now = ",".join(done[-1][1].seen), time.time()
        rows = [
            (session, at, msgspec.json.encode(action), msgspec.json.encode(facts), now)
            for at, (action, facts) in enumerate(done, number)
        ]
        with self._writing():
            self._db.executemany("INSERT INTO actions VALUES (?, ?, ?, ?, ?)", rows)
            self._db.execute("UPDATE learners SET seen = ? WHERE name = ?", (seen, name))

    def session(self, name: str) -> StoredSession | None:
        """Return a learner's last session; None if there is none."""
        row = self._db.execute(
            "SELECT id, start FROM sessions WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)
        ).fetchone()
        if row is None:
            return None
        number, start = row
        done = self._db.execute(
            "SELECT action, facts, at FROM actions WHERE session = ? ORDER BY number", (number,)
        ).fetchall()
        facts = [_facts.decode(encoded) for _, encoded, _ in done]
        return StoredSession(
            number=number,
            start=_starts.decode(start),
            actions=tuple(_actions.decode(action) for action, _, _ in done),
            refused=tuple(index for index, after in enumerate(facts) if after.refusal is not None),
            facts=facts[-1] if facts else Facts(),
            at=done[-1][2] if done else None,
        )
