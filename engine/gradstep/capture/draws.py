"""Items that a script draws from iterators, remembered while a round may have to begin anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any


class Draws:
    """Hands out the items of iterators, and once more those that an abandoned round has drawn."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._drawn: list[tuple[Any, Any]] = []
        self._again: dict[int, tuple[Any, deque[Any]]] = {}
        self.remembers = True
        """Whether items are remembered."""

        self.count = 0
        """Number of items that were drawn so far."""

    def begin(self) -> None:
        """Begin a round: what was drawn before it stays drawn."""
        self._drawn.clear()

    def begin_anew(self) -> None:
        """Have the items that were drawn since `begin` drawn again, and remember no more."""
        for source, item in self._drawn:
            self._again.setdefault(id(source), (source, deque()))[1].append(item)
        self._drawn.clear()
        self.remembers = False

    def next(self, source: Iterator[Any], *default: Any) -> Any:
        """Return the next item as Python's `next` does."""
        if self._again and id(source) in self._again:
            items = self._again[id(source)][1]
            item = items.popleft()
            if not items:
                del self._again[id(source)]
        else:
            item = next(source, *default)
            if self.remembers:
                self._drawn.append((source, item))
        self.count += 1
        return item


class Items:
    """Iterator of a loop of the script, whose items come through `Draws`."""

    __slots__ = ("_draws", "_ended", "_source")

    def __init__(self, source: Iterator[Any], draws: Draws, ended: Any) -> None:
        """Make the iterator.

        Args:
            source: The loop's own iterator.
            draws: Hands out the items.
            ended: Called without arguments when there are no more, before the loop learns it.
        """
        self._source, self._draws, self._ended = source, draws, ended

    def __iter__(self) -> Items:
        """Return this iterator."""
        return self

    def __next__(self) -> Any:
        """Return the next item."""
        try:
            return self._draws.next(self._source)
        except StopIteration:
            self._ended()
            raise
