"""Limits on what strangers and learners may have of the server."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Network
from itertools import chain
from typing import Final, Protocol

LONGEST_QUEUE: Final = 5.0
"""Seconds that a new connection waits for its key exchange at most; with a longer queue, it is dropped."""

REMEMBERED_ORIGINS: Final = 1_000
"""Largest number of addresses for which the rate of new connections is remembered."""

CROWD: Final = "too many connections that have not logged in"
CROWD_OF_ADDRESS: Final = "too many connections from this address that have not logged in"
RUSH: Final = "too many new connections at once"
FULL: Final = "This workshop has no room for more connections: try again in a few minutes."
CROWD_OF_NAME: Final = "There are too many connections under this name: close one of them first."


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
        """Return a token to the bucket."""
        self.take(-1.0)
        self._level = min(self.burst, self._level)


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's limits."""

    connections: int
    """Largest number of connections that have logged in."""

    strangers: int = 250
    """Largest number of connections that have not logged in yet."""

    per_address: int = 200
    """Largest number of them from one address. A classroom often shares one, so it has to admit a class."""

    per_name: int = 4
    """Largest number of connections that have logged in under one name: a bench, and file transfers."""

    per_second: float = 50.0
    """Key exchanges per second with new connections in the long run."""

    at_once: float = 250.0
    """Key exchanges with new connections after a pause, for a class that joins together."""

    address_per_second: float = 20.0
    """Key exchanges per second with new connections from one address in the long run."""

    address_at_once: float = 100.0
    """Key exchanges with new connections from one address after a pause."""

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

    exchange: float = 20.0
    """Seconds for the key exchange, which the client's program does by itself."""

    login: float = 120.0
    """Seconds after it for the login, with all the questions that a person has to answer."""

    unused: float = 30.0
    """Seconds after the login for opening a bench or a file transfer."""

    idle: float = 3600.0
    """Seconds without input after which a connection is closed; 0 for never."""

    keepalive: float = 15.0
    """Seconds between two keepalive messages to a silent client."""

    unanswered: int = 3
    """Keepalive messages without an answer after which a client counts as gone."""


class LimitedConnection(Protocol):
    """A connection, as the limiter sees it."""

    @property
    def address(self) -> str:
        """Address of the client."""

    @property
    def is_silent(self) -> bool:
        """Whether the client has not done its part of the key exchange."""

    @property
    def age(self) -> float:
        """Seconds since the connection was made."""

    @property
    def has_bench(self) -> bool:
        """Whether a bench was requested on it."""

    def drop(self, why: str) -> None:
        """Close the connection, and have it leave the limiter before this returns."""


Crowd = dict[LimitedConnection, None]
"""Connections, the oldest first."""


class ConnectionLimiter:
    """Counts connections, and decides which ones have to go if there are too many."""

    def __init__(self, limits: Limits) -> None:
        """Begin without connections."""
        self._limits = limits
        self._exchanges = TokenBucket(limits.per_second, limits.at_once)
        self._by_origin: OrderedDict[str, TokenBucket] = OrderedDict()
        self._strangers: dict[str, Crowd] = {}
        self._known: dict[str, Crowd] = {}

    @property
    def strangers(self) -> int:
        """Number of connections that have not logged in yet."""
        return sum(map(len, self._strangers.values()))

    @property
    def connections(self) -> int:
        """Number of connections that have logged in."""
        return sum(map(len, self._known.values()))

    def enter(self, newcomer: LimitedConnection) -> str:
        """Count a new connection, and return an empty text; return a reason instead if it is refused.

        An older connection whose client is silent makes room for it.
        """
        origin = origin_of(newcomer.address)
        crowd = self._strangers.get(origin, {})
        if len(crowd) >= self._limits.per_address and not self._drop_one_of(crowd, CROWD_OF_ADDRESS):
            return CROWD_OF_ADDRESS
        if self.strangers >= self._limits.strangers and not self._make_room():
            return CROWD
        self._strangers.setdefault(origin, {})[newcomer] = None
        return ""

    def wait_before_exchange(self, address: str) -> float | None:
        """Count a key exchange with a new connection, and return the seconds to wait before it.

        Returns:
            The seconds; None if the queue is too long.
        """
        origin = origin_of(address)
        new = TokenBucket(self._limits.address_per_second, self._limits.address_at_once)
        own = self._by_origin.setdefault(origin, new)
        self._by_origin.move_to_end(origin)
        if len(self._by_origin) > REMEMBERED_ORIGINS:
            self._by_origin.popitem(last=False)
        if max(own.take(0.0), self._exchanges.take(0.0)) > LONGEST_QUEUE:
            return None
        return max(own.take(), self._exchanges.take())

    def know(self, connection: LimitedConnection, name: str) -> str:
        """Count a connection as logged in, and return an empty text; return a sentence if it is refused.

        The oldest connection of the same name that has no bench makes room for it.
        """
        self.leave(connection)
        if self.connections >= self._limits.connections:
            return FULL
        own = self._known.get(name, {})
        if len(own) >= self._limits.per_name:
            spare = next((other for other in own if not other.has_bench), None)
            if spare is None:
                return CROWD_OF_NAME
            spare.drop("too many connections under this name")
        self._known.setdefault(name, {})[connection] = None
        return ""

    def leave(self, connection: LimitedConnection) -> None:
        """Count a connection no longer."""
        for crowds in (self._strangers, self._known):
            for key in [key for key, crowd in crowds.items() if connection in crowd]:
                del crowds[key][connection]
                if not crowds[key]:
                    del crowds[key]

    def _make_room(self) -> bool:
        """Drop a connection, of the address that has the most if possible; return whether there was one."""
        crowded = max(self._strangers.values(), key=len)
        return self._drop_one_of(crowded, CROWD) or self._drop_one_of(
            dict.fromkeys(chain.from_iterable(self._strangers.values())), CROWD
        )

    def _drop_one_of(self, crowd: Crowd, why: str) -> bool:
        """Drop the oldest silent connection, else one that has taken half the time for the login."""
        silent = next((connection for connection in crowd if connection.is_silent), None)
        slow = next((other for other in crowd if other.age > self._limits.login / 2), None)
        victim = silent or slow
        if victim is not None:
            victim.drop(why)
        return victim is not None


def origin_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 network of an IPv6 address."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    try:
        return str(IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
