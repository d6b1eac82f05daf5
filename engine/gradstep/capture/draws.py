"""Items that a script draws from iterators, remembered so that its loop can be taken back to a round."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor

from gradstep.capture.random_states import (
    RandomMarks,
    RandomStates,
    random_marks,
    random_states,
    same_marks,
    set_random_states,
)

MOST: Final = 20_000
"""Items that are remembered; older ones are forgotten."""

MOST_BYTES: Final = 256_000_000
"""Bytes of tensors and arrays among the items that are remembered."""

END: Final = object()
"""Stands for the end of an iterator among the items that were drawn."""

COPYABLE: Final[tuple[type, ...]] = (
    type(iter(range(0))),
    type(iter(range(1 << 70))),
    type(iter([])),
    type(iter(())),
)
"""Iterators that a copy goes on from, independently: their items need not be remembered."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    key: Hashable
    """Number of the loop that drew the item, or the identity of the iterator that `next` was called with."""

    entry: int
    """Number that the loop had when it was entered."""

    source: Any
    item: Any
    size: int
    before: RandomMarks | None
    """Marks of the random generators before the item was drawn; None if drawing it changed none."""

    after: RandomStates | None


@dataclass(frozen=True, slots=True)
class ItemsPlace:
    """How far the iterator of one loop has come."""

    source: Any
    entry: int
    drawn: int


class Draws:
    """Hands out the items of iterators, and once more those that were drawn since an earlier round."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._drawn: deque[_Drawn] = deque()
        self._again: dict[Hashable, deque[_Drawn]] = {}
        self._bytes = 0
        self._entries = 0
        self._running: dict[int, Items] = {}
        """Iterator of each loop, by the loop's number, since it was entered last."""

        self.remembers = False
        """Whether items are remembered."""

        self.count = 0
        """Number of items that were drawn so far."""

        self._first = 0
        """Number of items that were drawn before the first one that is remembered."""

        self.repeats = 0
        """How often loops still hand out their last item once more, while the script is taken back."""

        self.is_exact = True
        """Whether the items and random numbers drawn since were those of the script by itself."""

    def remember(self) -> int:
        """Remember items from now on; return how many were drawn so far, for `go_back`."""
        if not self.remembers:
            self.remembers, self._first = True, self.count
            self._drawn.clear()
        return self.count

    def can_go_back(self, count: int) -> bool:
        """Return whether all items are remembered that were drawn after the first `count`."""
        return self.remembers and self._first <= count

    def go_back(self, count: int) -> None:
        """Have the items drawn again that were drawn after the first `count`, if they are remembered."""
        back = list[_Drawn]()
        while self.count > count and self._drawn:
            back.append(self._drawn.pop())
            self.count -= 1
        self._bytes -= sum(drawn.size for drawn in back)
        for drawn in back:
            self._again.setdefault(drawn.key, deque()).appendleft(drawn)
        self.count = count

    def entered(self, items: Items) -> int:
        """Return the number of an entry into a loop: of that whose items are drawn again, or a new one."""
        self._entries += 1
        before, self._running[items.number] = self._running.get(items.number), items
        again = self._again.get(items.number)
        while again and before is not None and again[0].entry == before.entry:
            again.popleft()  # the loop was left earlier than it was then
        return again[0].entry if again else self._entries

    def place(self, number: int) -> ItemsPlace | None:
        """Return how far the iterator of a loop has come; None for a loop that has none."""
        items = self._running.get(number)
        if items is None:
            return None
        source = copy.copy(items.source) if items.is_copyable else items.source
        return ItemsPlace(source, items.entry, items.drawn)

    def put_back(self, number: int, place: ItemsPlace | None) -> None:
        """Let the iterator of a loop go on from a place."""
        items = self._running.get(number)
        if items is None or place is None:
            return
        items.go_on_from(place)

    def draw(self, items: Items) -> Any:
        """Return the next item of a loop, or `END`."""
        again = self._again.get(items.number)
        if again and again[0].entry == items.entry and self._is_due(again, items):
            drawn = again.popleft()
            if not again:
                del self._again[items.number]
            items.source = drawn.source
            return self._handed_out(drawn)
        if items.is_copyable or not self.remembers:
            self.count += not items.is_copyable
            return next(items.source, END)
        return self._drawn_anew(items.number, items.entry, items.source)

    def next(self, source: Iterator[Any], *default: Any) -> Any:
        """Return the next item as Python's `next` does."""
        again = self._again.get(id(source))
        if again:
            drawn = again.popleft()
            if not again:
                del self._again[id(source)]
            item = self._handed_out(drawn)
        elif self.remembers and isinstance(source, Iterator):
            item = self._drawn_anew(id(source), 0, source)
        else:
            return next(source, *default)
        if item is not END:
            return item
        if default:
            return default[0]
        raise StopIteration

    def _is_due(self, again: deque[_Drawn], items: Items) -> bool:
        """Return whether the script draws the same item as then; forget what it no longer will."""
        before = again[0].before
        if before is None or same_marks(before, random_marks()):
            return True
        if items.drawn:
            self.is_exact = False  # the iterator itself has gone past the item
            return True
        while again and again[0].entry == items.entry:
            again.popleft()  # the loop was entered anew, so its iterator is a new one
        return False

    def _handed_out(self, drawn: _Drawn) -> Any:
        if drawn.before is not None and drawn.after is not None:
            if not same_marks(drawn.before, random_marks()):
                self.is_exact = False
            set_random_states(drawn.after)
        self._keep(drawn)
        return drawn.item

    def _drawn_anew(self, key: Hashable, entry: int, source: Iterator[Any]) -> Any:
        before = random_marks()
        item = next(source, END)
        changed = not same_marks(before, random_marks())
        states = (before, random_states()) if changed else (None, None)
        self._keep(_Drawn(key, entry, source, item, _size(item), *states))
        return item

    def _keep(self, drawn: _Drawn) -> None:
        self.count += 1
        if not self.remembers:
            return
        self._drawn.append(drawn)
        self._bytes += drawn.size
        while len(self._drawn) > MOST or self._bytes > MOST_BYTES:
            self._bytes -= self._drawn.popleft().size
            self._first += 1


class Items:
    """Iterator of a loop of the script, whose items come through `Draws`."""

    __slots__ = ("_draws", "_ended", "_last", "drawn", "entry", "is_copyable", "number", "source")

    def __init__(self, number: int, source: Iterator[Any], draws: Draws, ended: Callable[[], bool]) -> None:
        """Make the iterator.

        Args:
            number: Number of the loop.
            source: The loop's own iterator.
            draws: Hands out the items.
            ended: Called when there are no more items, before the loop learns it; returns whether the loop
                shall have one more all the same, because the script is being taken back into it.
        """
        self.number, self.source, self._draws, self._ended = number, source, draws, ended
        self.is_copyable = isinstance(source, COPYABLE)
        self.drawn = 0
        self._last: Any = None
        self.entry = draws.entered(self)

    def __iter__(self) -> Items:
        """Return this iterator."""
        return self

    def __next__(self) -> Any:
        """Return the next item."""
        if self._draws.repeats and self.drawn:
            self._draws.repeats -= 1
            return self._last
        item = self._draws.draw(self)
        if item is END:
            if not self._ended():
                raise StopIteration
            return self._last
        self.drawn += 1
        self._last = item
        return item

    def go_on_from(self, place: ItemsPlace) -> None:
        """Go on from an earlier place of this loop."""
        self.is_copyable = isinstance(place.source, COPYABLE)
        self.source = copy.copy(place.source) if self.is_copyable else place.source
        self.entry, self.drawn = place.entry, place.drawn


def _size(item: Any) -> int:
    """Return the bytes of the tensors and arrays that an item holds, looked for a few levels deep."""
    if isinstance(item, Tensor):
        return item.numel() * item.element_size()
    if isinstance(item, tuple | list) and len(item) < 100:
        return 100 + sum(map(_size, item))
    if isinstance(item, dict):
        return 100 + sum(map(_size, item.values()))
    return int(getattr(item, "nbytes", 100))
