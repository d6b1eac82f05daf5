"""Who may come in: the join code gives a new name, a resume code or a key gives back one that was taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh

from gradstep.errors import BadInput, EngineError
from gradstep_tui.workshop.server.identity import codes
from gradstep_tui.workshop.server.identity.user_names import checked_name, shown
from gradstep_tui.workshop.wire.messages import Role

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.access.rate_limits import Doors, Limits
    from gradstep_tui.workshop.server.storage.store import Store

MOST_KEYS: Final = 20
"""Keys that a client may offer."""

KEPT_KEYS: Final = 5
"""Of those, how many a new name is bound to."""


class Class(Protocol):
    """What the gate needs to know of the workshop."""

    store: Store
    doors: Doors
    limits: Limits
    join_code: str
    instructor_code: str
    instructor_keys: frozenset[str]
    """Their fingerprints."""

    @property
    def log(self) -> Callable[..., None]:
        """What takes an event's name and its facts."""


class Gate(asyncssh.SSHServer):
    """One connection, up to where it has logged in."""

    def __init__(self, workshop: Class, session: Callable[[Gate], asyncssh.SSHServerSession[bytes]]) -> None:
        """Let somebody into `workshop`; `session` then makes what serves a channel."""
        self._workshop, self._session = workshop, session
        self.name = ""
        self.role: Role = "learner"
        self.resume_code = ""
        """Made for a new name, to be shown once."""

        self.address = ""
        self.connection: asyncssh.SSHServerConnection | None = None
        self._counted = self._known = False
        self._offered: list[str] = []
        """Fingerprints of the client's keys. They need no proof to bind a new name to them: whoever has one
        may then come in under that name, and nobody else."""

        self._takes = False
        """Whether the name is still to be taken: with the first bench, where the resume code is shown."""

        self._tries = 0
        self._channels = 0
        self.begun = False
        """Whether a bench, or the fetching of files, has begun."""

    # The connection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count it, and drop it where there are too many."""
        self.connection = conn
        peer = conn.get_extra_info("peername")
        self.address = peer[0] if peer else "?"
        refused = self._workshop.doors.enter(self.address)
        if refused:
            self._workshop.log("refused", address=self.address, why=refused)
            conn.abort()
        else:
            self._counted = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no longer."""
        self.connection = None
        if self._counted:
            self._workshop.doors.leave(self.address, known=self._known)
            self._counted = False

    # Logging in

    def begin_auth(self, username: str) -> bool:
        """Check the name; everybody has to log in."""
        try:
            self.name = checked_name(username)
        except BadInput as error:
            self._workshop.log("bad name", address=self.address, name=shown(username))
            raise asyncssh.DisconnectError(asyncssh.DISC_ILLEGAL_USER_NAME, str(error)) from None
        return True

    def _need_name(self) -> None:
        """Refuse an empty name: asyncssh takes it for one that was begun with, and so checked, already."""
        if not self.name:
            raise asyncssh.DisconnectError(asyncssh.DISC_ILLEGAL_USER_NAME, "log in with a name")

    def auth_completed(self) -> None:
        """Somebody has logged in."""
        self._known = True
        self._workshop.doors.know()
        asyncio.get_running_loop().call_later(self._workshop.limits.login, self._expect_session)

    def _expect_session(self) -> None:
        """Close a line on which nothing has begun: it takes somebody's place."""
        if self.connection is not None and not self.begun:
            self.connection.abort()

    def public_key_auth_supported(self) -> bool:
        """Keys are taken."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Let in who has a key of the name, or of an instructor; the client has to prove it afterwards."""
        self._need_name()
        fingerprint = key.get_fingerprint()
        if len(self._offered) >= MOST_KEYS:
            raise asyncssh.DisconnectError(
                asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many keys: ssh -o IdentitiesOnly=yes"
            )
        self._offered.append(fingerprint)
        self._takes = False
        taken = self._workshop.store.learner(self.name)
        if fingerprint in self._workshop.instructor_keys and (taken is None or taken.role == "instructor"):
            self.role, self._takes = "instructor", taken is None
            return True
        if taken is not None and self._workshop.store.has_key(self.name, fingerprint):
            self.role = taken.role
            return True
        return False

    def password_auth_supported(self) -> bool:
        """The code may come as a password."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Take a code."""
        return await self._try(password)

    def kbdint_auth_supported(self) -> bool:
        """The code is asked for, in words."""
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        """Say which code is wanted."""
        if self._workshop.store.learner(self.name) is None:
            return "", "", "", [("join code: ", False)]
        words = (
            f"The name {self.name} is taken. If it is yours, type the resume code that you were shown; "
            "else log in with another name."
        )
        return "", words, "", [("resume code: ", False)]

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        """Take a code."""
        return len(responses) == 1 and await self._try(responses[0])

    async def _try(self, code: str) -> bool:
        """Say whether a code opens the door; a wrong one is answered late, and only some are."""
        self._need_name()
        workshop, name = self._workshop, self.name
        # Before the code is looked at: a client need not wait for the answer to one before it sends the next.
        if self._tries >= workshop.limits.tries:
            raise _too_many()
        self._takes = False
        taken = workshop.store.learner(name)
        # All are compared, whichever is right, so that the time tells nothing.
        joins = codes.is_same(code, workshop.join_code)
        teaches = codes.is_same(code, workshop.instructor_code)
        resumes = workshop.store.has_code(name, code)
        if resumes and taken is not None:
            self.role = taken.role
            return True
        if taken is None and (joins or teaches):
            self.role, self._takes = "instructor" if teaches else "learner", True
            return True
        if taken is not None and taken.role == "instructor" and teaches:
            self.role = "instructor"
            return True
        self._tries += 1
        workshop.log("wrong code", address=self.address, name=name, tries=self._tries)
        last = self._tries >= workshop.limits.tries
        await asyncio.sleep(workshop.doors.wait_after_guess())
        if last:
            raise _too_many()
        return False

    @property
    def has_name(self) -> bool:
        """Whether the name belongs to whoever this is."""
        return not self._takes

    def take_name(self) -> None:
        """Have the name belong to whoever this is, from now on.

        Raises:
            EngineError: somebody else just took it, or it cannot be kept.
        """
        if self._takes:
            code = codes.made_up()
            if not self._workshop.store.take(self.name, self.role, code, self._offered[:KEPT_KEYS]):
                raise EngineError(f"the name {self.name} has just been taken: log in with another one")
            self._takes, self.resume_code = False, code

    # What may be opened: one session, and nothing else

    def session_requested(self) -> asyncssh.SSHServerSession[bytes] | bool:
        """Serve one channel."""
        self._channels += 1
        return self._session(self) if self._channels == 1 else False

    def connection_requested(self, *_: object) -> bool:
        """Forward no port."""
        return False

    def server_requested(self, *_: object) -> bool:
        """Listen on none."""
        return False

    def unix_connection_requested(self, *_: object) -> bool:
        """Forward no socket."""
        return False

    def unix_server_requested(self, *_: object) -> bool:
        """Listen on none."""
        return False

    def tun_requested(self, *_: object) -> bool:
        """Make no tunnel."""
        return False

    def tap_requested(self, *_: object) -> bool:
        """Make no tunnel."""
        return False


def _too_many() -> asyncssh.DisconnectError:
    return asyncssh.DisconnectError(
        asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many wrong codes: connect again"
    )
