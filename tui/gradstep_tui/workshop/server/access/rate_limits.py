"""Limits on what strangers and learners may have of the server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Network


@dataclass(slots=True)
class TokenBucket:
    """Token bucket: allows an average rate, and a burst after a pause."""

    rate: float
    """Tokens per second in the long run."""

    burst: float
    """Largest number of tokens that a pause accumulates."""

    clock: Callable[[], float] = time.monotonic
    _level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with a full bucket."""
        self._level = self.burst
        self._at = self.clock()

    def take(self, amount: float = 1.0) -> float:
        """Take tokens, more than there are if necessary; return the seconds until the debt is paid."""
        now = self.clock()
        self._level = min(self.burst, self._level + (now - self._at) * self.rate) - amount
        self._at = now
        return max(-self._level / self.rate, 0.0)

    def until(self, amount: float) -> float:
        """Return the seconds until there are so many tokens."""
        self.take(0.0)
        return max((amount - self._level) / self.rate, 0.0)

    def give(self) -> None:
        """Give a token back."""
        self.take(-1.0)
        self._level = min(self.burst, self._level)


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's limits."""

    connections: int
    """Largest number of connections."""

    per_address: int
    """Largest number from one address. A classroom often shares one, so it has to admit all learners."""

    strangers: int = 40
    """Largest number of connections that have not logged in yet."""

    per_second: float = 50.0
    """New connections per second in the long run; each costs a key exchange."""

    at_once: float = 150.0
    """New connections after a pause, for a class that joins together."""

    tries: int = 3
    """Wrong codes on one connection."""

    delay: float = 0.5
    """Seconds before a wrong code is answered."""

    guesses: float = 20.0
    """Wrong codes per second, from all addresses, in the long run. Codes beyond that wait unread."""

    guesses_at_once: float = 400.0
    """Wrong codes from all addresses after a pause."""

    guesses_of_address: float = 1.0
    """Wrong codes per second from one address in the long run."""

    guesses_of_address_at_once: float = 60.0
    """Wrong codes from one address after a pause, for a class that mistypes."""

    login: float = 30.0
    """Seconds for the login, and after it for opening a bench or a file transfer."""

    idle: float = 3600.0
    """Seconds without input after which a connection is closed; 0 for never."""

    keepalive: float = 15.0
    """Seconds between two keepalive messages to a silent client."""

    unanswered: int = 3
    """Keepalive messages without an answer after which a client counts as gone."""


class ConnectionLimiter:
    """Counts connections, and refuses those beyond the limits."""

    def __init__(self, limits: Limits) -> None:
        """Begin without connections."""
        self._limits = limits
        self._bucket = TokenBucket(limits.per_second, limits.at_once)
        self._by_address = Counter[str]()
        self.connections = 0
        self.strangers = 0
        """Number of connections that have not logged in yet."""

    def enter(self, address: str) -> str:
        """Count a new connection, and return an empty text; return a reason instead if it is refused."""
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

    def know(self) -> None:
        """Count a connection as logged in."""
        self.strangers -= 1

    def leave(self, address: str, *, known: bool) -> None:
        """Count a connection no longer; `known` tells whether it had logged in."""
        self.connections -= 1
        self.strangers -= not known
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def origin_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 network of an IPv6 address."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    try:
        return str(IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
