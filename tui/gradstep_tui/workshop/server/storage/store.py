"""The server's store of participants, in the database: messages, sessions, every action."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from gradstep.actions import Action
from gradstep.errors import BadInput
from gradstep.start import Start
from gradstep_tui.workshop.server.identity.user_names import checked_name, shown
from gradstep_tui.workshop.server.storage.database import Database, StoreError
from gradstep_tui.workshop.server.storage.names import Claim, NameLostError, NameRegistry, NameState, role_of
from gradstep_tui.workshop.server.storage.records import (
    Aside,
    Learner,
    StoredSession,
    UnreadableSessionError,
)
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import Told

_actions = msgspec.json.Decoder(Action)
_starts = msgspec.json.Decoder(Start)
_facts = msgspec.json.Decoder(Facts)
_told = msgspec.json.Decoder(tuple[Told, ...])
_UNREADABLE: Final = (ValueError, TypeError, RecursionError, msgspec.DecodeError)
"""Errors about stored values that no version of the program, or only a newer one, can have written."""


class Store:
    """The database of a workshop: participants, their sessions, and who owns which name."""

    def __init__(self, folder: Path, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Open `workshop.db` in a folder; create it if it is missing.

        Args:
            folder: The state folder.
            log: Called with the name of an event and its facts.

        Raises:
            BadInput: it cannot be opened, or another server has it open.
        """
        self._log = log
        self._database = Database(folder, log)
        try:
            self.names = NameRegistry(self._database)
        except StoreError as error:
            self._database.close()
            raise BadInput(f"{folder / 'workshop.db'} cannot be used: {error.reason}") from None

    def close(self) -> None:
        """Close the file and release the lock."""
        self._database.close()

    # Participants

    def learners(self) -> list[Learner]:
        """Return the owners of all names, sorted by name.

        Raises:
            StoreError: the database cannot be read.
        """
        rows = self._database.rows(
            "SELECT name, claim, role, hand, allows, seen, told, missed FROM learners "
            "WHERE state != ? ORDER BY name",
            (NameState.RELEASED,),
        )
        return [self._learner(*row) for row in rows if self._is_name(row[0])]

    def _is_name(self, name: object) -> bool:
        """Return whether a stored name is valid: a damaged one is never used, e.g. in a path."""
        try:
            return isinstance(name, str) and checked_name(name) == name
        except BadInput:
            self._log("set aside", name=shown(str(name)), why="it is not a valid name")
            return False

    def _learner(
        self,
        name: str,
        number: int,
        role: object,
        hand: object,
        allows: object,
        seen: object,
        told: object,
        missed: object,
    ) -> Learner:
        return Learner(
            claim=Claim(name, number, role_of(role)),
            hand=hand if isinstance(hand, float) else 0.0,
            allows=bool(allows),
            seen=tuple(filter(None, str(seen).split(","))),
            told=self._told(name, told),
            missed=missed if isinstance(missed, int) else 0,
        )

    def _told(self, name: str, told: Any) -> tuple[Told, ...]:
        """Return stored messages of instructors; set them aside if they cannot be read."""
        try:
            return _told.decode(told)
        except _UNREADABLE as error:
            self._log("set aside", name=name, why=f"messages: {error}")
        with suppress(StoreError), self._database.writing() as connection:
            connection.execute(
                "INSERT INTO set_aside (name, content, why, at) VALUES (?, ?, 'messages', ?)",
                (name, told, time.time()),
            )
            connection.execute("UPDATE learners SET told = '[]' WHERE name = ?", (name,))
        return ()

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
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE learners SET hand = ?, allows = ?, told = ?, missed = ? WHERE name = ?",
                (hand, allows, msgspec.json.encode(told), missed, name),
            )

    # Sessions

    def begin(self, claim: Claim, start: Start, aside: Aside | None = None) -> int:
        """Store a new session, and return its number.

        Args:
            claim: Claim of the session's owner.
            start: Start of the session.
            aside: The session before, if it is set aside.

        Raises:
            NameLostError: the claim is not valid any more.
            StoreError: the database cannot be written.
        """
        encoded = msgspec.json.encode(start)
        with self._database.writing() as connection:
            inserted = connection.execute(
                "INSERT INTO sessions (name, start) SELECT name, ? FROM learners "
                "WHERE name = ? AND claim = ? AND state != ?",
                (encoded, claim.name, claim.number, NameState.RELEASED),
            )
            if inserted.rowcount != 1 or inserted.lastrowid is None:
                raise NameLostError(claim.name)
            if aside is not None:
                connection.execute(
                    "INSERT INTO set_aside (name, session, why, at) VALUES (?, ?, ?, ?)",
                    (claim.name, aside.session, f"{aside.reason}: {aside.why}", time.time()),
                )
        return inserted.lastrowid

    def add(self, claim: Claim, session: int, number: int, done: Sequence[tuple[Action, Facts]]) -> None:
        """Store actions of a session, all or none.

        Args:
            claim: Claim of the session's owner.
            session: Number of the session in the database.
            number: Number of the first of the actions in the session, counted from 1.
            done: The actions, each with the facts after it.

        Raises:
            NameLostError: the session is not the claimant's.
            StoreError: the database cannot be written.
        """
        seen, now = ",".join(done[-1][1].seen), time.time()
        rows = [
            (session, at, msgspec.json.encode(action), msgspec.json.encode(facts), now)
            for at, (action, facts) in enumerate(done, number)
        ]
        with self._database.writing() as connection:
            owned = connection.execute(
                "UPDATE learners SET seen = ? WHERE name = ? AND claim = ? "
                "AND name = (SELECT name FROM sessions WHERE id = ?)",
                (seen, claim.name, claim.number, session),
            )
            if owned.rowcount != 1:
                raise NameLostError(claim.name)
            connection.executemany("INSERT INTO actions VALUES (?, ?, ?, ?, ?)", rows)

    def session(self, name: str) -> StoredSession | None:
        """Return a learner's last session; None if there is none.

        Raises:
            UnreadableSessionError: it is damaged, or was written by a newer version of the program.
        """
        number = 0
        try:
            row = self._database.row(
                "SELECT id, start FROM sessions WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)
            )
            if row is None:
                return None
            number, start = row
            done = self._database.rows(
                "SELECT action, facts, at, number FROM actions WHERE session = ? ORDER BY number", (number,)
            )
            return _session(number, start, done)
        except _UNREADABLE as error:
            raise UnreadableSessionError(number, str(error)) from None
        except StoreError as error:
            raise UnreadableSessionError(number, error.reason) from None


def _session(number: int, start: Any, done: Sequence[tuple[Any, ...]]) -> StoredSession:
    """Return a session that is stored in rows.

    Raises:
        ValueError, TypeError, RecursionError: a row is damaged or missing, or its meaning is unknown.
    """
    facts = [_facts.decode(encoded) for _, encoded, _, _ in done]
    if [at for _, _, _, at in done] != [*range(1, len(done) + 1)]:
        raise ValueError("some of its actions are missing")
    return StoredSession(
        number=number,
        start=_starts.decode(start),
        actions=tuple(_actions.decode(action) for action, _, _, _ in done),
        refused=tuple(index for index, after in enumerate(facts) if after.refusal is not None),
        facts=facts[-1] if facts else Facts(),
        at=float(done[-1][2]) if done else None,
    )
