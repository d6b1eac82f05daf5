"""Sessions that are set aside: listed for the administrator, and brought back as far as they can be read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gradstep import problems
from gradstep.actions import Action
from gradstep.errors import BadInput
from gradstep.start import Start
from gradstep_tui.workshop.server.storage.names import NameState
from gradstep_tui.workshop.wire.facts import Facts

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.storage.database import Database

RESTORED: Final = "replaced: an older session was restored"
"""Why a session is set aside in whose place another one was brought back."""

UNREADABLE: Final = "unreadable"
"""Why a session will be set aside that the learner has not come back to yet."""

_actions = msgspec.json.Decoder(Action)
_starts = msgspec.json.Decoder(Start)
_facts = msgspec.json.Decoder(Facts)
_DAMAGED: Final = (ValueError, TypeError, RecursionError, msgspec.DecodeError)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A stored session that its learner does not continue."""

    name: str
    """Name of the learner."""

    session: int
    """Number of the session in the database."""

    why: str
    at: float
    """Time at which it was set aside, in seconds since 1970; 0 if its learner has not come back since."""

    actions: int
    """Number of its actions, readable or not."""

    def __str__(self) -> str:
        """Return a line for the administrator."""
        day = f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC" if self.at else "now"
        return f"{self.name}: session {self.session}, {self.actions} actions, since {day}, {self.why}"


@dataclass(frozen=True, slots=True)
class Restored:
    """A session that was brought back."""

    old: SetAside
    """The session as it was kept, and stays."""

    actions: int
    """Number of actions that were brought back."""

    replaced: int
    """Number of the session that was set aside for it; 0 if there was none."""


def sessions_set_aside(database: Database) -> list[SetAside]:
    """Return the sessions that are set aside, the newest last, and those that have to be.

    Raises:
        StoreError: the database cannot be read.
    """
    found = database.rows("SELECT name, session, why, at FROM set_aside WHERE session > 0 ORDER BY at, rowid")
    kept = [_set_aside(database, *row) for row in found if _exists(database, row[1])]
    listed = {aside.session for aside in kept}
    owners = database.rows("SELECT name FROM learners WHERE state != ? ORDER BY name", (NameState.RELEASED,))
    for (name,) in owners:
        current = _current(database, name)
        if current and current not in listed and not _is_whole(database, current):
            kept.append(_set_aside(database, name, current, UNREADABLE, 0.0))
    return kept


def restore(database: Database, name: str, most: int | None = None) -> Restored:
    """Bring the session back that was set aside last: its readable actions become the learner's session.

    The session that is set aside stays as it is; the one that the learner has now is set aside instead.

    Args:
        database: The database, which no server uses.
        name: Name of the learner.
        most: Largest number of actions that are brought back; None for all of them.

    Raises:
        BadInput: there is no such learner or no such session, or it cannot even begin.
        StoreError: the database cannot be read or written.
    """
    owned = "SELECT 1 FROM learners WHERE name = ? AND state != ?"
    if database.row(owned, (name, NameState.RELEASED)) is None:
        raise BadInput(f"--restore: nobody has the name {name[:60]!r}")
    current = _current(database, name)
    mine = [aside for aside in sessions_set_aside(database) if aside.name == name]
    waiting = [aside for aside in mine if aside.session == current and not aside.at]
    choice = [*(aside for aside in mine if aside.session != current), *waiting]
    if not choice:
        raise BadInput(f"--restore: no session of {name} is set aside")
    old = choice[-1]
    start = _checked_start(database, old)
    done = [*_readable(database, old.session)][:most]
    with database.writing() as connection:
        new = connection.execute("INSERT INTO sessions (name, start) VALUES (?, ?)", (name, start)).lastrowid
        connection.executemany(
            "INSERT INTO actions VALUES (?, ?, ?, ?, ?)",
            [(new, number, *row) for number, row in enumerate(done, 1)],
        )
        if current:
            why = UNREADABLE if waiting else RESTORED
            connection.execute(
                "INSERT INTO set_aside (name, session, why, at) VALUES (?, ?, ?, ?)",
                (name, current, why, time.time()),
            )
    return Restored(old, len(done), 0 if waiting else current)


def _set_aside(database: Database, name: str, session: int, why: str, at: float) -> SetAside:
    (count,) = database.row("SELECT count(*) FROM actions WHERE session = ?", (session,)) or (0,)
    return SetAside(str(name), session, str(why), at, count)


def _exists(database: Database, session: int) -> bool:
    return database.row("SELECT 1 FROM sessions WHERE id = ?", (session,)) is not None


def _current(database: Database, name: str) -> int:
    """Return the number of a learner's last session; 0 if there is none."""
    (number,) = database.row("SELECT coalesce(max(id), 0) FROM sessions WHERE name = ?", (name,)) or (0,)
    return int(number)


def _checked_start(database: Database, old: SetAside) -> Any:
    """Return the stored start of a session.

    Raises:
        BadInput: it is damaged, or its problem is unknown.
    """
    (stored,) = database.row("SELECT start FROM sessions WHERE id = ?", (old.session,)) or (b"",)
    try:
        start = _starts.decode(stored)
    except _DAMAGED as error:
        raise BadInput(f"--restore: the beginning of {old.name}'s session cannot be read: {error}") from None
    if start.has_file or start.title not in problems.all_names():
        raise BadInput(
            f"--restore: {old.name}'s session begins with an unknown problem, {start.title[:60]!r}"
        )
    return stored


def _readable(database: Database, session: int) -> Iterator[tuple[Any, Any, float]]:
    """Yield the actions of a session with their facts and times, up to the first that cannot be read."""
    rows = database.rows(
        "SELECT number, action, facts, at FROM actions WHERE session = ? ORDER BY number", (session,)
    )
    for expected, (number, action, facts, at) in enumerate(rows, 1):
        try:
            _actions.decode(action), _facts.decode(facts)
            when = float(at)
        except _DAMAGED:
            return
        if number != expected:
            return
        yield action, facts, when


def _is_whole(database: Database, session: int) -> bool:
    """Return whether every row of a session can be read."""
    (stored,) = database.row("SELECT start FROM sessions WHERE id = ?", (session,)) or (b"",)
    (count,) = database.row("SELECT count(*) FROM actions WHERE session = ?", (session,)) or (0,)
    try:
        _starts.decode(stored)
    except _DAMAGED:
        return False
    return len([*_readable(database, session)]) == int(count)
