"""Limits on how many codes are compared, whether they turn out right or wrong."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.access.rate_limits import TokenBucket, origin_of

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.access.rate_limits import Limits

LONGEST_WAIT: Final = 20.0
"""Seconds that a code may have to wait until it is compared."""

REMEMBERED: Final = 1_000
"""Number of addresses whose wrong codes are remembered."""

TOO_MANY: Final = "Too many wrong codes have come from your network: log in again in a minute."


@dataclass(slots=True)
class Turn:
    """The right to compare one code."""

    right: bool = False
    """Whether the code was right; set by whoever compares it."""


@dataclass(slots=True)
class _Queue:
    """Codes that wait for a bucket, the first one first."""

    bucket: TokenBucket
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def wait(self) -> None:
        """Wait for a token, and take it."""
        async with self.lock:
            while (seconds := self.bucket.until(1.0)) > 0:
                await asyncio.sleep(seconds)
            self.bucket.take()


class GuessLimiter:
    """Admits so many codes per second, from one address and in all, before they are compared.

    A right code waits like a wrong one, so a client that does not wait for the answer learns nothing. It is
    not counted afterwards: a class that logs in together is not held up.
    """

    def __init__(self, limits: Limits) -> None:
        """Begin without wrong codes."""
        self._limits = limits
        self._all = _Queue(TokenBucket(limits.guesses, limits.guesses_at_once))
        self._by_address: OrderedDict[str, _Queue] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[Turn]:
        """Wait until a code of an address may be compared, and run the block that does so.

        Raises:
            EngineError: it would take too long.
        """
        queues = self._queue_of(origin_of(address)), self._all
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                for queue in queues:
                    await queue.wait()
        except TimeoutError:
            raise EngineError(TOO_MANY) from None
        turn = Turn()
        yield turn
        if turn.right:
            for queue in queues:
                queue.bucket.give()

    def _queue_of(self, address: str) -> _Queue:
        limits = self._limits
        queue = self._by_address.setdefault(
            address, _Queue(TokenBucket(limits.guesses_of_address, limits.guesses_of_address_at_once))
        )
        self._by_address.move_to_end(address)
        if len(self._by_address) > REMEMBERED:
            self._by_address.popitem(last=False)
        return queue
