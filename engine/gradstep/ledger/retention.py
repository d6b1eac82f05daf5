"""Limit on the memory that a session's ledgers take."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

from gradstep.ledger.ledger import AROUND, Ledger, Line, PassPage, Write, WritesPage
from gradstep.tensors.memory import bytes_of

HEAVY: Final = 1_000_000
"""Size in bytes above which a page drops its trace and keeps only the lines."""

FEWEST: Final = 12
"""Number of newest pages that are kept even if they exceed the limit, up to `HEAVIEST`."""

HEAVIEST: Final = 256_000_000
"""Size in bytes that the `FEWEST` newest pages may take together."""

LEDGER_BYTES: Final = 10_000_000
"""Largest total size of the ledgers' pages; older pages are dropped."""


class PageStore:
    """Keeps the pages of a session's ledgers, and drops the oldest if they take too much memory."""

    def __init__(self, limit: int) -> None:
        """Keep pages of about `limit` bytes altogether."""
        self._limit = limit
        self._held = deque[Ledger]()
        self._weight = 0

    def put(self, ledger: Ledger) -> Ledger:
        """Return a ledger whose newest page is now kept, however large it is; may drop older pages."""
        self._held.append(ledger)
        self._weight += ledger.weight
        while len(self._held) > 1 and self._weight > (self._limit if len(self._held) > FEWEST else HEAVIEST):
            oldest = self._held.popleft()
            self._weight -= oldest.weight
            oldest.forget_page()
        return ledger


def light(page: PassPage) -> PassPage | WritesPage:
    """Return a page with the same lines that does not keep a large trace."""
    if page.weight <= HEAVY:
        return page
    written = defaultdict[str, list[Line]](list)
    weight = AROUND
    for name, line in page.all_lines():
        written[name].append(line)
        # The tensors `before` and `after` are shared with the session's states: only `part` counts.
        weight += bytes_of(line.part) if isinstance(line, Write) and line.part is not None else 0
    return WritesPage({name: tuple(lines) for name, lines in written.items()}, weight)
