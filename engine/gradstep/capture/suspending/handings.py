"""When generators and coroutines of a script handed control to others: that cannot be taken back."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from types import FrameType
from typing import Any, Final

SUSPENDING: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
"""Flags of code whose frames can be left and come back."""


class Handings:
    """Counts how often the script's generators and coroutines handed control to others."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        """Number of times that control was handed on so far."""

        self._last: dict[int, int] = {}
        """Number of the last time, by the `id` of the code that handed it on."""

        self._watched: set[int] = set()

    @property
    def are_watched(self) -> bool:
        """Whether generators or coroutines are around the stepped loop."""
        return bool(self._watched)

    def note(self, frame: FrameType | None) -> None:
        """Note that the function of a frame hands control on."""
        while frame is not None and frame.f_code.co_name in _INNER:
            frame = frame.f_back
        if frame is not None:
            self.note_code(id(frame.f_code))

    def note_code(self, code: int) -> None:
        """Note that the code with an `id` hands control on."""
        self.count += 1
        self._last[code] = self.count

    def cut_off(self) -> None:
        """Note that no earlier moment can be returned to."""
        for code in self._watched:
            self.note_code(code)

    def watch(self, frame: FrameType | None) -> None:
        """Watch from now on the function of a frame, and those of its callers."""
        self._watched |= _suspending(frame)

    def since(self, count: int) -> bool:
        """Return whether what is watched has handed control on since there was a count."""
        return any(self._last.get(code, 0) > count for code in self._watched)

    def around(self, frame: FrameType | None, count: int) -> bool:
        """Return whether the function of a frame, or one of its callers, has done so since."""
        return any(self._last.get(code, 0) > count for code in _suspending(frame))


class Stream:
    """Asynchronous iterator of a loop of the script."""

    def __init__(
        self, source: AsyncIterator[Any], handings: Handings, code: int, ended: Callable[[], object]
    ) -> None:
        """Make the iterator.

        Args:
            source: The loop's own iterator.
            handings: Told whenever the loop waits for an item.
            code: The `id` of the code that the loop stands in.
            ended: Called when there are no more items.
        """
        self._source, self._handings, self._code, self._ended = source, handings, code, ended

    def __aiter__(self) -> Stream:
        """Return this iterator."""
        return self

    async def __anext__(self) -> Any:
        """Return the next item."""
        self._handings.note_code(self._code)
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            self._ended()
            raise


def _suspending(frame: FrameType | None) -> set[int]:
    found = set[int]()
    while frame is not None:
        if frame.f_code.co_flags & SUSPENDING:
            found.add(id(frame.f_code))
        frame = frame.f_back
    return found


_INNER: Final = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""Names of frames that belong to the function around them."""
