"""The tables of the database, and the conversion of files that older versions of the program wrote."""

from __future__ import annotations

import re
import sqlite3
from typing import Final, Literal

import msgspec
from msgspec import Struct

from gradstep.errors import BadInput
from gradstep.loop.loop import Kind
from gradstep_tui.workshop.wire.facts import Facts, Phase, PhaseKind, PyTorchRefusal
from gradstep_tui.workshop.wire.milestones import Milestone

VERSION: Final = 3

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

MESSAGE_COLUMNS: Final = (
    "ALTER TABLE learners ADD COLUMN told BLOB NOT NULL DEFAULT '[]'",
    "ALTER TABLE learners ADD COLUMN missed INTEGER NOT NULL DEFAULT 0",
)
"""Statements that add what version 1 did not store: the instructors' messages."""

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


def prepare(db: sqlite3.Connection) -> None:
    """Create the tables of a new file, or convert a file of an older version, all or nothing.

    Raises:
        BadInput: the file is of a newer version.
        sqlite3.Error: the file cannot be read or written.
        msgspec.DecodeError: the file contains something that no version of the program writes.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise BadInput(
            f"the workshop's database is of version {version}, but this program only reads versions up to "
            f"{VERSION}: install a newer gradstep"
        )
    if version == 0:
        db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        return
    with db:
        db.execute("BEGIN IMMEDIATE")
        if version == 1:
            for statement in MESSAGE_COLUMNS:
                db.execute(statement)
        _convert_facts(db)
        db.execute(f"PRAGMA user_version = {VERSION}")


def _convert_facts(db: sqlite3.Connection) -> None:
    """Convert the facts and milestones of versions 1 and 2, which were words, to identifiers."""
    rows = db.execute("SELECT session, number, facts FROM actions").fetchall()
    db.executemany(
        "UPDATE actions SET facts = ? WHERE session = ? AND number = ?",
        [
            (msgspec.json.encode(converted(_old_facts.decode(facts))), session, number)
            for session, number, facts in rows
        ],
    )
    learners = db.execute("SELECT name, seen FROM learners").fetchall()
    db.executemany(
        "UPDATE learners SET seen = ? WHERE name = ?",
        [(",".join(_milestones(seen.split(","))), name) for name, seen in learners],
    )


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
