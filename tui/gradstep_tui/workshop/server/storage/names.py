"""Who owns a name: the only place in which a name gets an owner, or loses one.

A name is in one of these states, and each change is one transaction:

    free --offer--> offered --note--> owned
    offered --release--> released --note--> owned
    released --offer--> offered, by somebody else

A name is offered to whoever types the join code, together with a resume code. It is owned once the resume
code is noted: the learner has said so, or has come back with the code or with a key, which proves it. What
is owned stays owned. If the learner leaves before that, the name is released: whoever types the join code
next gets it, unless the first learner comes back sooner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.identity.codes import digest, has_digest

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.storage.database import Database
    from gradstep_tui.workshop.wire.messages import Role


class NameState(StrEnum):
    """State of a name that is in the database."""

    OFFERED = "offered"
    """Somebody is logged in who has not noted the resume code yet."""

    OWNED = "owned"
    """The name belongs to whoever has the resume code or one of the keys."""

    RELEASED = "released"
    """Anybody can get the name; the last one to whom it was offered can still come back."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One person's right to a name. A name that is offered again, to somebody else, is another claim."""

    name: str
    number: int
    """Number that no other claim to this name has."""

    role: Role


class NameLostError(EngineError):
    """A claim is no longer valid, because the name was offered to somebody else in the meantime."""

    def __init__(self, name: str) -> None:
        """Carry a sentence for the learner."""
        super().__init__(f"The name {name} belongs to somebody else now: log in with another one.")


class NameRegistry:
    """The names of a workshop and their owners, in the database."""

    def __init__(self, database: Database) -> None:
        """Release what was only offered when the last server ended: nobody is logged in.

        Raises:
            StoreError: the database cannot be read or written.
        """
        self._database = database
        if database.row("SELECT 1 FROM learners WHERE state = ?", (NameState.OFFERED,)) is not None:
            with database.writing() as connection:
                connection.execute(
                    "UPDATE learners SET state = ? WHERE state = ?", (NameState.RELEASED, NameState.OFFERED)
                )

    def owner(self, name: str) -> Claim | None:
        """Return the claim to a name that is offered or owned; None if anybody can get the name."""
        row = self._database.row(
            "SELECT claim, role FROM learners WHERE name = ? AND state != ?", (name, NameState.RELEASED)
        )
        return None if row is None else Claim(name, row[0], role_of(row[1]))

    def resumed(self, name: str, code: str) -> Claim | None:
        """Return the claim to which a resume code belongs; None if it is not a resume code of the name."""
        row = self._database.row("SELECT claim, role, code FROM learners WHERE name = ?", (name,))
        stored = digest("") if row is None else str(row[2])
        # The comparison is made in any case, so that the time reveals nothing.
        same = has_digest(code, stored if stored.isascii() else "")
        return Claim(name, row[0], role_of(row[1])) if same and row is not None else None

    def keyed(self, name: str, fingerprint: str) -> Claim | None:
        """Return the claim to which a key belongs; None if it is not a key of the name."""
        row = self._database.row(
            "SELECT claim, role FROM learners JOIN keys USING (name) WHERE name = ? AND fingerprint = ?",
            (name, fingerprint),
        )
        return None if row is None else Claim(name, row[0], role_of(row[1]))

    def state(self, claim: Claim) -> NameState | None:
        """Return the state of a name as the holder of a claim sees it; None if the claim is not valid."""
        row = self._database.row(
            "SELECT state FROM learners WHERE name = ? AND claim = ?", (claim.name, claim.number)
        )
        if row is None:
            return None
        return NameState(row[0]) if row[0] in [*NameState] else NameState.OWNED  # in doubt nobody gets it

    def keys(self, claim: Claim) -> tuple[str, ...]:
        """Return the fingerprints of the keys that log in as the holder of a claim, sorted."""
        rows = self._database.rows("SELECT fingerprint FROM keys WHERE name = ? ORDER BY 1", (claim.name,))
        return tuple(str(fingerprint) for (fingerprint,) in rows)

    def set_keys(self, claim: Claim, fingerprints: Iterable[str]) -> None:
        """Let these keys, and no others, log in as the holder of a claim.

        Raises:
            NameLostError: the claim is not valid any more.
            StoreError: the database cannot be written.
        """
        if self.state(claim) is None:
            raise NameLostError(claim.name)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM keys WHERE name = ?", (claim.name,))
            rows = [(claim.name, fingerprint) for fingerprint in fingerprints]
            connection.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", rows)

    def offer(self, name: str, role: Role, code: str, fingerprints: Iterable[str] = ()) -> Claim | None:
        """Offer a free or released name to somebody; return None if it is neither.

        Args:
            name: The name.
            role: Role of the new owner.
            code: Resume code, of which only the hash is stored.
            fingerprints: Fingerprints of the new owner's keys.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._database.writing() as connection:
            if self.owner(name) is not None:
                return None
            (number,) = connection.execute("SELECT coalesce(max(claim), 0) + 1 FROM learners").fetchone()
            connection.execute("DELETE FROM learners WHERE name = ?", (name,))  # with keys and sessions
            connection.execute(
                "INSERT INTO learners (name, role, code, state, claim) VALUES (?, ?, ?, ?, ?)",
                (name, role, digest(code), NameState.OFFERED, number),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO keys VALUES (?, ?)",
                [(name, fingerprint) for fingerprint in fingerprints],
            )
        return Claim(name, number, role)

    def note(self, claim: Claim) -> None:
        """Make a name its claimant's for good. Nothing is written if it is so already.

        Raises:
            NameLostError: the claim is not valid any more.
            StoreError: the database cannot be written.
        """
        if self.state(claim) is NameState.OWNED:
            return
        with self._database.writing() as connection:
            noted = connection.execute(
                "UPDATE learners SET state = ? WHERE name = ? AND claim = ?",
                (NameState.OWNED, claim.name, claim.number),
            )
            if not noted.rowcount:
                raise NameLostError(claim.name)

    def release(self, claim: Claim) -> bool:
        """Release a name that is only offered, because its claimant has left; return whether it was.

        Raises:
            StoreError: the database cannot be written.
        """
        if self.state(claim) is not NameState.OFFERED:
            return False
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE learners SET state = ? WHERE name = ? AND claim = ?",
                (NameState.RELEASED, claim.name, claim.number),
            )
            connection.execute("DELETE FROM sessions WHERE name = ?", (claim.name,))
        return True


def role_of(stored: object) -> Role:
    """Return a stored role; a damaged one is a learner's."""
    return "instructor" if stored == "instructor" else "learner"
