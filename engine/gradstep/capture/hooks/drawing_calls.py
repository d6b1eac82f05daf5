"""Calls at the heads of loops, through which they draw items and learn whether they go on."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Iterable
from functools import partial
from typing import Any, Final

from gradstep.capture.draws import Draws, Items
from gradstep.capture.hooks.parker import Parker
from gradstep.capture.hooks.round_exit import RoundExit
from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Control
from gradstep.capture.suspending.handings import Handings, Stream

DRAWN_ALIKE: Final = (range, list, tuple, str, dict, set)
"""Kinds of which a new iterator gives the same items, so that those of an abandoned round need no keeping."""


class DrawingCalls:
    """The calls around what loops draw from, around conditions of `while`, and in place of `next`."""

    def __init__(
        self, loop: SteppedLoop, parker: Parker, round_exit: RoundExit, draws: Draws, handings: Handings
    ) -> None:
        """Make the calls of a script that has not begun."""
        self._loop, self._parker, self._exit = loop, parker, round_exit
        self._draws, self._handings = draws, handings

    def items(self, number: int, source: Iterable[Any]) -> Iterable[Any]:
        """Return what a `for` loop draws its items from."""
        loop = self._loop
        if loop.chain:
            is_watched = number in loop.chain and not loop.is_stepping
        else:
            is_watched = loop.sites[number].leads or type(source) not in DRAWN_ALIKE
        if not is_watched:
            return source
        return Items(number, iter(source), self._draws, partial(self._ended, number))

    def test(self, number: int, value: object) -> bool:
        """Return whether a `while` loop goes on."""
        return bool(value) or self._ended(number)

    def stream(self, number: int, source: AsyncIterable[Any]) -> AsyncIterable[Any]:
        """Return what an `async for` loop draws its items from."""
        code = id(inspect.currentframe().f_back.f_code)  # type: ignore[union-attr]
        return Stream(aiter(source), self._handings, code, partial(self._ended, number))

    def once(self, number: int) -> bool:
        """Return whether a block, which goes round once, has its round before it."""
        return self._loop.counts[number] == 0

    def next(self, plain: Any, source: Any, *default: Any) -> Any:
        """Return what `next` returns; `plain` is what the script calls by this name."""
        return self._draws.next(source, *default) if plain is next else plain(source, *default)

    def _ended(self, number: int) -> bool:
        """Take note that a loop has no more rounds; return whether it shall have one all the same."""
        if self._loop.is_stepping:
            if number == self._loop.chain[-1]:
                self._exit.control = Control.BREAK
            return False
        if self._parker.seeks and number in self._loop.chain:
            return self._draws.repeats > 0
        return self._loop.is_outermost(number) and self._parker.ends()
