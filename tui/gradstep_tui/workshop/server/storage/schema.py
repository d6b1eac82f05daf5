"""The tables of the database, and the conversion of files that older versions of the program wrote."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from gradstep.errors import BadInput
from gradstep.loop.loop import Kind
from gradstep_tui.workshop.wire.facts import Facts, Phase, PhaseKind, PyTorchRefusal
from gradstep_tui.workshop.wire.milestones import Milestone

VERSION: Final = 4

SCHEMA: Final = """
CREATE TABLE learners (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, code TEXT NOT NULL, hand REAL NOT NULL DEFAULT 0,
    allows INTEGER NOT NULL DEFAULT 1, seen TEXT NOT NULL DEFAULT '',
    told BLOB NOT NULL DEFAULT '[]', missed INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, claim INTEGER NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE TABLE keys (
    name TEXT NOT NULL REFERENCES learners ON DELETE CASCADE, fingerprint TEXT NOT NULL,
    PRIMARY KEY (name, fingerprint)
) WITHOUT ROWID;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, name TEXT REFERENCES learners ON DELETE CASCADE, start BLOB NOT NULL
);
CREATE INDEX latest ON sessions (name, id);
CREATE TABLE actions (
    session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL,
    action BLOB NOT NULL, facts BLOB NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE TABLE set_aside (
    name TEXT NOT NULL, session INTEGER, content BLOB, why TEXT NOT NULL, at REAL NOT NULL
);
"""
"""Tables of the database. `set_aside` lists what could not be used and is kept: sessions by their number in
`sessions`, anything else by its content."""

MESSAGE_COLUMNS: Final = (
    "ALTER TABLE learners ADD COLUMN told BLOB NOT NULL DEFAULT '[]'",
    "ALTER TABLE learners ADD COLUMN missed INTEGER NOT NULL DEFAULT 0",
)
"""Statements that add what version 1 did not store: the instructors' messages."""

OLD_TABLES: Final = {
    "learners": (
        "SELECT name, role, code, hand, allows, seen, told, missed, 'owned', "
        "row_number() OVER (ORDER BY name) FROM old_learners"
    ),
    "keys": "SELECT name, fingerprint FROM old_keys",
    "sessions": "SELECT id, name, start FROM old_sessions",
    "actions": "SELECT session, number, action, facts, at FROM old_actions",
}
"""Queries that return the rows of a table from its form in versions 1 to 3, which had no foreign keys."""

OLD_MILESTONES: Final = {
    "single nodes": Milestone.NODES,
    "accumulation": Milestone.ACCUMULATION,
    "zeroing off": Milestone.NO_ZEROING,
    "divergence": Milestone.DIVERGENCE,
}
"""Milestones by the names that versions 1 and 2 stored."""

_PHASE: Final = re.compile(r"(next: (?P<kind>\w+)|in backward)( (?P<number>\d+)/(?P<total>\d+))?")


class _OldFacts(Struct, frozen=True, tag="Facts", tag_field="say"):
    """Facts as versions 1 and 2 stored them: with the words that the board showed."""

    phase: str = ""
    epoch: int = 0
    loss: float | Literal["nan", "inf", "-inf"] | None = None
    error: str = ""
    curve: str = ""
    seen: tuple[str, ...] = ()


_old_facts = msgspec.json.Decoder(_OldFacts)


def create(db: sqlite3.Connection) -> None:
    """Create the tables of a new file."""
    db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def prepare(db: sqlite3.Connection, path: Path) -> bool:
    """Convert a file of an older version, all or nothing; return whether it was one.

    The file as it was is kept beside it. Rows that no version of the program has written stay as they are.

    Raises:
        BadInput: the file is of a newer version.
        sqlite3.Error: the file cannot be read or written.
        OSError: the copy cannot be made.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return False
    if version > VERSION:
        raise BadInput(
            f"the workshop's database is of version {version}, but this program only reads versions up to "
            f"{VERSION}: install a newer gradstep"
        )
    if version == 0:
        create(db)
        return False
    _keep_copy(db, path.with_name(f"{path.name}.version-{version}"))
    with db:
        db.execute("BEGIN IMMEDIATE")
        if version == 1:
            for statement in MESSAGE_COLUMNS:
                db.execute(statement)
        if version < 3:
            _convert_facts(db)
        _rebuild_tables(db)
        db.execute(f"PRAGMA user_version = {VERSION}")
    return True


def keep_orphans(db: sqlite3.Connection) -> list[str]:
    """Set sessions aside whose name nobody owns, and return those names.

    Whoever takes the name next thus gets a new session. A name that has keys stays reserved for their owner.
    """
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "INSERT INTO learners (name, role, code, state, claim) "
            "SELECT name, 'learner', '', 'owned', row_number() OVER () + "
            "(SELECT coalesce(max(claim), 0) FROM learners) "
            "FROM (SELECT DISTINCT name FROM keys WHERE name NOT IN (SELECT name FROM learners))"
        )
        orphans = "sessions WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM learners)"
        found = db.execute(f"SELECT DISTINCT name FROM {orphans} ORDER BY name").fetchall()
        db.execute(
            "INSERT INTO set_aside (name, session, why, at) "
            f"SELECT name, id, 'nobody owns the name', ? FROM {orphans}",
            (time.time(),),
        )
        db.execute("UPDATE sessions SET name = NULL WHERE name NOT IN (SELECT name FROM learners)")
    return [name for (name,) in found]


def _keep_copy(db: sqlite3.Connection, path: Path) -> None:
    """Copy the database into a file that only its owner may read, unless there is such a file already."""
    if path.exists():
        return
    part = path.with_name(f".{path.name}")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(part)) as copy:
        db.backup(copy)
    os.rename(part, path)


def _rebuild_tables(db: sqlite3.Connection) -> None:
    """Rebuild the tables of versions 1 to 3 in the present form, with the same rows."""
    db.execute("PRAGMA legacy_alter_table = ON")  # a renamed table takes no other table's references along
    db.execute("DROP INDEX IF EXISTS latest")
    for table in OLD_TABLES:
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in filter(str.strip, SCHEMA.split(";")):
        db.execute(statement)
    for table, rows in OLD_TABLES.items():
        db.execute(f"INSERT INTO {table} {rows}")
        db.execute(f"DROP TABLE old_{table}")


def _convert_facts(db: sqlite3.Connection) -> None:
    """Convert the facts and milestones of versions 1 and 2, which were words, to identifiers."""
    rows = db.execute("SELECT session, number, facts FROM actions").fetchall()
    db.executemany(
        "UPDATE actions SET facts = ? WHERE session = ? AND number = ?",
        [
            (msgspec.json.encode(converted(old)), session, number)
            for session, number, facts in rows
            if (old := _decoded(facts)) is not None
        ],
    )
    learners = db.execute("SELECT name, seen FROM learners").fetchall()
    db.executemany(
        "UPDATE learners SET seen = ? WHERE name = ?",
        [(",".join(_milestones(str(seen).split(","))), name) for name, seen in learners],
    )


def _decoded(facts: bytes) -> _OldFacts | None:
    """Return stored facts of versions 1 and 2; None if they are damaged."""
    try:
        return _old_facts.decode(facts)
    except (msgspec.DecodeError, TypeError, ValueError):
        return None


def converted(old: _OldFacts) -> Facts:
    """Return facts of versions 1 and 2 in the form of today."""
    return Facts(
        phase=_phase(old.phase),
        epoch=old.epoch,
        loss=old.loss,
        refusal=_refusal(old.error) if old.error else None,
        curve=old.curve,
        seen=_milestones(old.seen),
    )


def _phase(text: str) -> Phase:
    found = _PHASE.fullmatch(text)
    if found is None:
        return Phase(PhaseKind.END) if text else Phase()
    number, total = int(found["number"] or 0), int(found["total"] or 0)
    if found["kind"] is None:
        return Phase(PhaseKind.IN_BACKWARD, number=number, total=total)
    kind = Kind(found["kind"]) if found["kind"] in [*Kind] else Kind.FORWARD
    return Phase(statement=kind, number=number, total=total)


def _refusal(text: str) -> PyTorchRefusal:
    kind, _, words = text.partition(": ")
    return PyTorchRefusal(kind, words)


def _milestones(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(OLD_MILESTONES[name] for name in names if name in OLD_MILESTONES)
