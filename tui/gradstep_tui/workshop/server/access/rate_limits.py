"""How much of anything a stranger, or a learner, may have of the server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Allows so much a second, and some at once after a pause."""

    rate: float
    """Per second."""

    burst: float
    clock: Callable[[], float] = time.monotonic
    _level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin after a pause."""
        self._level = self.burst
        self._at = self.clock()

    def take(self, amount: float = 1.0) -> float:
        """Take something, also more than there is; give the seconds to wait until the debt is paid."""
        now = self.clock()
        self._level = min(self.burst, self._level + (now - self._at) * self.rate) - amount
        self._at = now
        return max(-self._level / self.rate, 0.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's."""

    connections: int
    """In all."""

    per_address: int
    """From one address. A classroom often has one for all: so no fewer than learners."""

    strangers: int = 40
    """Connections that have not logged in yet."""

    per_second: float = 50.0
    """New connections in the long run: each costs a key exchange."""

    at_once: float = 150.0
    """New connections after a pause: a class that joins together."""

    tries: int = 3
    """Wrong codes on a connection."""

    delay: float = 0.5
    """Seconds before a wrong code is answered."""

    guesses: float = 2.0
    """Wrong codes a second, of all strangers together, that are answered after `delay`; more of them wait."""

    guesses_at_once: float = 100.0
    """The same, after a pause: a class that mistypes."""

    login: float = 30.0
    """Seconds to log in, and then to open what was logged in for."""

    idle: float = 3600.0
    """Seconds after which a line is closed on which nothing was typed; 0 for never."""

    keepalive: float = 15.0
    """Seconds between questions whether a client is still there."""

    unanswered: int = 3
    """How many of them a client may leave without an answer."""


class Doors:
    """Counts connections and refuses those that are too many."""

    def __init__(self, limits: Limits) -> None:
        """Begin with none."""
        self._limits = limits
        self._bucket = Bucket(limits.per_second, limits.at_once)
        self._guesses = Bucket(limits.guesses, limits.guesses_at_once)
        self._by_address = Counter[str]()
        self.connections = 0
        self.strangers = 0

    def enter(self, address: str) -> str:
        """Count a new connection; where it has to go, say why, and do not count it."""
        limits = self._limits
        if self.connections >= limits.connections:
            return "too many connections"
        if self.strangers >= limits.strangers:
            return "too many connections that have not logged in"
        if self._by_address[address] >= limits.per_address:
            return "too many connections from this address"
        if self._bucket.take() > 0:
            return "too many new connections at once"
        self.connections += 1
        self.strangers += 1
        self._by_address[address] += 1
        return ""

    def wait_after_guess(self) -> float:
        """Count a wrong code; give the seconds before it is answered."""
        return max(self._limits.delay, self._guesses.take())

    def know(self) -> None:
        """Somebody has logged in."""
        self.strangers -= 1

    def leave(self, address: str, *, known: bool) -> None:
        """A connection has ended."""
        self.connections -= 1
        self.strangers -= not known
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
