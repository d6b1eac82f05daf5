"""Items that a script draws from iterators, remembered while a round may have to begin anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 1_000
"""Items that are remembered; older ones are forgotten."""


Randoms = tuple[Any, ...]
"""States of the random generators of torch, numpy and `random`."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    source: Any
    item: Any
    randoms: Randoms
    """States after the item was drawn."""


class Draws:
    """Hands out the items of iterators, and once more those that an abandoned round has drawn."""

    def __init__(self, randoms: Callable[[], Randoms], set_randoms: Callable[[Randoms], None]) -> None:
        """Begin with nothing drawn; the functions read and write the states of the random generators."""
        self._randoms, self._set_randoms = randoms, set_randoms
        self._drawn: deque[_Drawn] = deque(maxlen=MOST)
        self._again: dict[int, deque[_Drawn]] = {}
        self.remembers = False
        """Whether items are remembered."""

        self.count = 0
        """Number of items that were drawn so far."""

        self._first = 0
        """Number of items that were drawn before the first one that is remembered."""

    def remember(self) -> int:
        """Remember items from now on; return how many were drawn so far, for `begin_anew`."""
        if not self.remembers:
            self.remembers, self._first = True, self.count
            self._drawn.clear()
        return self.count

    def begin_anew(self, count: int) -> None:
        """Have the items that were drawn since `remember` returned `count` drawn again; remember no more."""
        kept = list(self._drawn)
        wanted = self.count - count
        for drawn in kept[len(kept) - wanted :] if wanted <= len(kept) else kept:
            self._again.setdefault(id(drawn.source), deque()).append(drawn)
        self._drawn.clear()
        self.remembers = False

    def next(self, source: Iterator[Any], *default: Any) -> Any:
        """Return the next item as Python's `next` does."""
        if self._again and id(source) in self._again:
            waiting = self._again[id(source)]
            drawn = waiting.popleft()
            if not waiting:
                del self._again[id(source)]
            self._set_randoms(drawn.randoms)
            item = drawn.item
        else:
            item = next(source, *default)
            if self.remembers:
                self._drawn.append(_Drawn(source, item, self._randoms()))
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
