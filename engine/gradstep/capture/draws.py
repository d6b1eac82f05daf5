"""Items that a script draws from iterators, remembered so that its loop can be taken back to a round."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

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
    source: Any
    item: Any
    size: int
    before: RandomMarks | None
    """Marks of the random generators before the item was drawn; None if drawing it changed none."""

    after: RandomStates | None


@dataclass(slots=True)
class _History:
    """What was drawn from one iterator."""

    drawn: deque[_Drawn] = field(default_factory=deque)
    forgotten: int = 0
    position: int = 0
    """Number of items that the script has drawn; fewer than there are after it was taken back."""

    def due(self) -> _Drawn | None:
        """Return what is drawn once more; None if the iterator itself has the next item."""
        at = self.position - self.forgotten
        return self.drawn[at] if 0 <= at < len(self.drawn) else None


@dataclass(frozen=True, slots=True)
class ItemsPlace:
    """How far the iterator of one loop has come."""

    source: Any
    before: int
    """Number of the entry into the loop before this one."""

    entry: int
    drawn: int


Positions: TypeAlias = Mapping[Hashable, int]
"""How many items were drawn from each iterator."""


class Draws:
    """Hands out the items of iterators, and once more those that were drawn since an earlier round."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._histories: dict[Hashable, _History] = {}
        """By the loop's number and that of the entry into it, or by the iterator given to `next`."""

        self._ages: deque[Hashable] = deque()
        """Key of the history of each item that is remembered, the oldest first."""

        self._bytes = 0
        self._entries = 0
        self._followers: dict[tuple[int, int], int] = {}
        """Number of the entry into a loop that came after another, by the loop and that other entry."""

        self._running: dict[int, Items] = {}
        """Iterator of each loop, by the loop's number, since it was entered last."""

        self.remembers = False
        """Whether items are remembered."""

        self.count = 0
        """Number of items that were handed out so far."""

        self.repeats = 0
        """How often loops still hand out their last item once more, while the script is taken back."""

        self.is_exact = True
        """Whether the items and random numbers drawn since were those of the script by itself."""

    def positions(self) -> Positions:
        """Return how much was drawn, for `go_back`; items are remembered from now on."""
        self.remembers = True
        return {key: history.position for key, history in self._histories.items()}

    def can_go_back(self, positions: Positions) -> bool:
        """Return whether all items are remembered that were drawn since."""
        return all(
            key not in self._histories or self._histories[key].forgotten <= position
            for key, position in positions.items()
        )

    def go_back(self, positions: Positions) -> None:
        """Have the items drawn again that were drawn since."""
        for key, history in self._histories.items():
            history.position = positions.get(key, 0)

    def entered(self, items: Items) -> int:
        """Return the number of an entry into a loop: of the one that came next then, or a new one."""
        self._running[items.number] = items
        last = items.number, items.before
        return self._followers.get(last) or self._new_entry(last)

    def last_entry(self, number: int) -> int:
        """Return the number of the last entry into a loop; 0 if it was not entered."""
        return self._running[number].entry if number in self._running else 0

    def _new_entry(self, last: tuple[int, int]) -> int:
        self._entries += 1
        self._followers[last] = self._entries
        return self._entries

    def place(self, number: int) -> ItemsPlace | None:
        """Return how far the iterator of a loop has come; None for a loop that has none."""
        items = self._running.get(number)
        if items is None:
            return None
        source = copy.copy(items.source) if items.is_copyable else items.source
        return ItemsPlace(source, items.before, items.entry, items.drawn)

    def put_back(self, number: int, place: ItemsPlace) -> None:
        """Let the iterator of a loop go on from a place."""
        if number in self._running:
            self._running[number].go_on_from(place)

    def draw(self, items: Items) -> Any:
        """Return the next item of a loop, or `END`."""
        if items.is_copyable or not self.remembers:
            self.count += 1
            return next(items.source, END)
        key = items.number, items.entry
        history = self._histories.setdefault(key, _History())
        drawn = history.due()
        if drawn is not None and not self._is_as_then(drawn):
            if not items.drawn:  # the loop was entered anew with other random numbers: so it draws others
                items.entry = self._new_entry((items.number, items.before))
                return self.draw(items)
            self.is_exact = False  # the iterator itself has gone past the item
        if drawn is None:
            return self._drawn_anew(key, history, items.source)
        items.source = drawn.source
        return self._handed_out(history, drawn)

    def next(self, source: Iterator[Any], *default: Any) -> Any:
        """Return the next item as Python's `next` does."""
        if not self.remembers or not isinstance(source, Iterator):
            self.count += 1
            return next(source, *default)
        history = self._histories.setdefault(id(source), _History())
        drawn = history.due()
        if drawn is None:
            item = self._drawn_anew(id(source), history, source)
        else:
            self.is_exact &= self._is_as_then(drawn)
            item = self._handed_out(history, drawn)
        if item is not END:
            return item
        if default:
            return default[0]
        raise StopIteration

    def _is_as_then(self, drawn: _Drawn) -> bool:
        return drawn.before is None or same_marks(drawn.before, random_marks())

    def _handed_out(self, history: _History, drawn: _Drawn) -> Any:
        if drawn.after is not None:
            set_random_states(drawn.after)
        history.position += 1
        self.count += 1
        return drawn.item

    def _drawn_anew(self, key: Hashable, history: _History, source: Iterator[Any]) -> Any:
        before = random_marks()
        item = next(source, END)
        changed = not same_marks(before, random_marks())
        states = (before, random_states()) if changed else (None, None)
        drawn = _Drawn(source, item, _size(item), *states)
        history.drawn.append(drawn)
        history.position += 1
        self.count += 1
        self._ages.append(key)
        self._bytes += drawn.size
        while len(self._ages) > MOST or self._bytes > MOST_BYTES:
            oldest = self._histories[self._ages.popleft()]
            self._bytes -= oldest.drawn.popleft().size
            oldest.forgotten += 1
        return item


class Items:
    """Iterator of a loop of the script, whose items come through `Draws`."""

    __slots__ = ("_draws", "_ended", "_last", "before", "drawn", "entry", "is_copyable", "number", "source")

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
        self.before = draws.last_entry(number)
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
        self.before = place.before


def _size(item: Any) -> int:
    """Return the bytes of the tensors and arrays that an item holds, looked for a few levels deep."""
    if isinstance(item, Tensor):
        return item.numel() * item.element_size()
    if isinstance(item, tuple | list) and len(item) < 100:
        return 100 + sum(map(_size, item))
    if isinstance(item, dict):
        return 100 + sum(map(_size, item.values()))
    return int(getattr(item, "nbytes", 100))
