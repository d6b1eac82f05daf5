"""Keeps a session's ledgers from growing without end."""

from __future__ import annotations

from collections import deque
from typing import Final

from gradstep.ledger.ledger import AROUND, Ledger, Line, PassPage, Write, WritesPage
from gradstep.tensors.memory import bytes_of

HEAVY: Final = 1_000_000
"""Bytes from which on a trace is not kept for the sake of its writes."""

FEWEST: Final = 12
"""How many pages are kept also where they weigh more than the limit, ..."""

HEAVIEST: Final = 256_000_000
"""... as long as it is no more than this."""


class Shelf:
    """Holds the pages of all ledgers of a session, and has the oldest forgotten where they weigh too much."""

    def __init__(self, limit: int) -> None:
        """Hold pages of about `limit` bytes."""
        self._limit = limit
        self._held = deque[Ledger]()
        self._weight = 0

    def put(self, ledger: Ledger) -> Ledger:
        """Hold a ledger's newest page; it is kept for now however heavy it is."""
        self._held.append(ledger)
        self._weight += ledger.weight
        while len(self._held) > 1 and self._weight > (self._limit if len(self._held) > FEWEST else HEAVIEST):
            oldest = self._held.popleft()
            self._weight -= oldest.weight
            oldest.forget_page()
        return ledger


def light(page: PassPage) -> PassPage | WritesPage:
    """Give a page that keeps no heavy trace."""
    if page.weight <= HEAVY:
        return page
    written = dict[str, tuple[Line, ...]]()
    weight = AROUND
    for name, line in page.all_lines():
        written[name] = (*written.get(name, ()), line)
        # What a `.grad` was before and after, states keep, too.
        weight += bytes_of(line.part) if isinstance(line, Write) and line.part is not None else 0
    return WritesPage(written, weight)
