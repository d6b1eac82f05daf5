"""Authentication: the join code admits a new name, a resume code or a key admits the owner of a name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh

from gradstep.errors import BadInput, EngineError
from gradstep_tui.workshop.server.access.admission import Admission
from gradstep_tui.workshop.server.access.client_keys import weakness
from gradstep_tui.workshop.server.access.no_forwarding import NoForwarding
from gradstep_tui.workshop.server.identity import codes
from gradstep_tui.workshop.server.identity.user_names import checked_name, shown
from gradstep_tui.workshop.server.storage.database import StoreError
from gradstep_tui.workshop.server.storage.names import NameLostError, NameState
from gradstep_tui.workshop.wire.messages import Role

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.access.guesses import GuessLimiter
    from gradstep_tui.workshop.server.access.rate_limits import ConnectionLimiter, Limits
    from gradstep_tui.workshop.server.storage.names import Claim
    from gradstep_tui.workshop.server.storage.store import Store

MOST_KEYS: Final = 20
"""Largest number of keys that a client may offer."""

KEPT_KEYS: Final = 5
"""Number of the offered keys, the first ones, that the learner can let log in."""


class AuthContext(Protocol):
    """The part of a workshop that authentication needs."""

    store: Store
    limiter: ConnectionLimiter
    guesses: GuessLimiter
    limits: Limits
    join_code: str
    instructor_code: str
    instructor_keys: frozenset[str]
    """Fingerprints of the instructors' public keys."""

    @property
    def log(self) -> Callable[..., None]:
        """Callable that logs an event's name, and its facts as keyword arguments."""

    def set_exports_aside(self, name: str) -> None:
        """Rename a folder for exports that an earlier owner of a name has left."""


class ClientConnection(NoForwarding):
    """One SSH connection: authentication, and one channel."""

    def __init__(
        self,
        workshop: AuthContext,
        channel: Callable[[ClientConnection], asyncssh.SSHServerSession[bytes]],
    ) -> None:
        """Begin without a name.

        Args:
            workshop: The workshop that the client logs in to.
            channel: Returns the handler of the client's channel.
        """
        self._workshop, self._make_channel = workshop, channel
        self.name = ""
        self.role: Role = "learner"
        self.resume_code = ""
        """Resume code of a new name, to be shown once; empty otherwise."""

        self.address = ""
        self.connection: asyncssh.SSHServerConnection | None = None
        self.admission: Admission | None = None
        """How the connection is counted, timed and slowed; None before there is one."""

        self._offered: list[str] = []
        """Fingerprints of the client's keys, which may log in later if the learner says so. Nobody has proved
        to own them: saying so only allows the owners of those keys to log in under that name."""

        self.claim: Claim | None = None
        """Claim to the name; None before the login, and for a new name until the first bench begins."""

        self.way: dict[str, str] = {}
        """How the client has logged in, for the log: its method, and the fingerprint of its key."""

        self._began = time.monotonic()
        self._known = False
        self._tries = 0
        self._knows_join_code = False
        """Whether the client has typed the join code for a name that is taken."""

        self._channels = 0

    # The connection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count the connection; the limits may close it, or an older one."""
        self.connection = conn
        peer = conn.get_extra_info("peername")
        self.address = peer[0] if peer else "?"
        workshop = self._workshop
        self.admission = Admission(conn, self.address, workshop.limiter, workshop.limits, workshop.log)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no longer."""
        self.connection = None
        if not self._known:
            why = f"{type(exc).__name__}: {exc}" if exc is not None else "the client has hung up"
            self._workshop.log("no login", **self.facts, why=why)
        if self.admission is not None:
            self.admission.close()

    @property
    def seconds(self) -> float:
        """Seconds since the connection was made."""
        return round(time.monotonic() - self._began, 3)

    @property
    def facts(self) -> dict[str, object]:
        """What each line of the log about this connection has: who, from where, in which way, how long."""
        return {"name": self.name, "address": self.address, **self.way, "seconds": self.seconds}

    def refuse(self, what: str) -> bool:
        """Log that a request was refused; return False."""
        self._workshop.log("refused", **self.facts, why=f"{what} was requested")
        return False

    # Authentication

    def begin_auth(self, username: str) -> bool:
        """Check the name, and require authentication.

        Raises:
            DisconnectError: the name is not valid.
        """
        try:
            self.name = checked_name(username)
        except BadInput as error:
            self._workshop.log("bad name", address=self.address, name=shown(username))
            raise asyncssh.DisconnectError(asyncssh.DISC_ILLEGAL_USER_NAME, str(error)) from None
        return True

    def _require_name(self) -> None:
        """Refuse an empty name: asyncssh does not call `begin_auth` for it, so nothing has checked it."""
        if not self.name:
            raise asyncssh.DisconnectError(asyncssh.DISC_ILLEGAL_USER_NAME, "log in with a user name")

    def auth_completed(self) -> None:
        """Count the client as known, and give it some time to open a channel.

        Whoever comes with a resume code or a key has thereby proved to have them, so the name is owned now.

        Raises:
            DisconnectError: the name was lost in the meantime, the database cannot be written, or there are
                too many connections.
        """
        if self.claim is not None:
            try:
                self._workshop.store.names.note(self.claim)
            except EngineError as error:
                self._workshop.log("refused", **self.facts, why=str(error))
                raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, str(error)) from None
        if self.admission is not None:
            self.admission.know(self.name)
        self._known = True

    def public_key_auth_supported(self) -> bool:
        """Accept keys."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Return whether a key opens the name; the client has to prove afterwards that it owns the key.

        Raises:
            DisconnectError: the client has offered too many keys, or has no name.
        """
        self._require_name()
        fingerprint = key.get_fingerprint()
        if len(self._offered) >= MOST_KEYS:
            raise asyncssh.DisconnectError(
                asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE,
                "your client offers too many keys: use ssh -o IdentitiesOnly=yes",
            )
        names, self.claim = self._workshop.store.names, None
        weak = weakness(key)
        if weak:
            self.way = {"method": "key", "key": fingerprint}
            self._workshop.log("weak key", **self.facts, why=weak)
            return False
        self._offered.append(fingerprint)
        with _stored():
            owner, mine = names.owner(self.name), names.keyed(self.name, fingerprint)
        self.way = {"method": "key", "key": fingerprint}
        if mine is None and fingerprint in self._workshop.instructor_keys:
            if owner is None:
                self.role = "instructor"
                return True
            mine = owner if owner.role == "instructor" else None
        return self._has_come_back(mine)

    def password_auth_supported(self) -> bool:
        """Accept a code as a password."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Return whether a code, sent as a password, opens the name."""
        return await self._try(password)

    def kbdint_auth_supported(self) -> bool:
        """Accept a code as an answer to a question."""
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        """Return the question for a code. Only who knows the join code is told that the name is taken."""
        if self._knows_join_code:
            instructions = (
                f"The name {self.name} is taken. If it is yours, type the resume code that you were shown; "
                "otherwise log in with another name."
            )
            return "", instructions, "", [("resume code: ", False)]
        instructions = (
            "If you are new, type the join code; to come back, the resume code that you were shown."
        )
        return "", instructions, "", [("code: ", False)]

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        """Return whether a code, sent as an answer, opens the name."""
        return len(responses) == 1 and await self._try(responses[0])

    async def _try(self, code: str) -> bool:
        """Return whether a code opens the name. A wrong code is answered late, and only a few are answered.

        Raises:
            DisconnectError: there were too many wrong codes.
        """
        self._require_name()
        # The count comes before the check: a client may send codes without waiting for the answers.
        if self._tries >= self._workshop.limits.tries:
            raise _too_many()
        self._tries += 1
        try:
            async with self._workshop.guesses.turn(self.address) as turn:
                turn.right = self._opens(code)
        except EngineError as error:
            raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, str(error)) from None
        if turn.right:
            return True
        last = self._tries >= self._workshop.limits.tries
        self._workshop.log("wrong code", **self.facts, tries=self._tries)
        await asyncio.sleep(self._workshop.limits.delay)
        if last:
            raise _too_many()
        return False

    def _opens(self, code: str) -> bool:
        """Return whether a code opens the name."""
        workshop, name = self._workshop, self.name
        self.claim = None
        with _stored():
            owner, resumed = workshop.store.names.owner(name), workshop.store.names.resumed(name, code)
        # All comparisons are made, whichever succeeds, so that the time reveals nothing.
        joins = codes.is_same(code, workshop.join_code)
        teaches = codes.is_same(code, workshop.instructor_code)
        self.way = {"method": "resume code" if resumed else "instructor code" if teaches else "join code"}
        if self._has_come_back(resumed):
            return True
        if owner is None and (joins or teaches):
            self.role = "instructor" if teaches else "learner"
            return True
        if owner is not None and owner.role == "instructor" and teaches:
            return self._has_come_back(owner)
        self.way = {"method": "code"}
        self._knows_join_code = joins or teaches
        return False

    @property
    def offered(self) -> tuple[str, ...]:
        """Fingerprints of the first keys that the client has offered."""
        return tuple(self._offered[:KEPT_KEYS])

    def _has_come_back(self, claim: Claim | None) -> bool:
        """Set the claim that the client has; return False if it has none."""
        self.claim = claim
        if claim is not None:
            self.role = claim.role
        return claim is not None

    def claimed(self) -> Claim:
        """Return the client's claim to its name. A new name is offered to it, with a resume code.

        Raises:
            EngineError: the name belongs to somebody else now, or the database cannot be written.
        """
        names = self._workshop.store.names
        if self.claim is None:
            if names.owner(self.name) is None:
                self._workshop.set_exports_aside(self.name)
            code = codes.generate()
            self.claim = names.offer(self.name, self.role, code)
            if self.claim is None:
                raise EngineError(f"The name {self.name} has just been taken: log in with another one.")
            self.resume_code = code
        elif names.state(self.claim) is not NameState.OWNED:
            raise NameLostError(self.name)
        return self.claim

    # Requests of the client: one channel, and nothing else

    def session_requested(self) -> asyncssh.SSHServerSession[bytes] | bool:
        """Return the handler of the first channel; refuse any other."""
        self._channels += 1
        return self._make_channel(self) if self._channels == 1 else False


@contextmanager
def _stored() -> Iterator[None]:
    """Run a block that reads the database.

    Raises:
        DisconnectError: the database cannot be read.
    """
    try:
        yield
    except StoreError as error:
        raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, str(error)) from None


def _too_many() -> asyncssh.DisconnectError:
    return asyncssh.DisconnectError(
        asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many wrong codes: connect again"
    )
