"""The loop that is stepped, with those around it: how far the script has come in them."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Sequence
from types import FrameType, FunctionType

from gradstep.capture.loop_places import LineRange, LoopKind
from gradstep.capture.scopes import Scope, scope_of
from gradstep.capture.sites import Site


class SteppedLoop:
    """The loops around the first `backward`; until it was found, all loops that have begun."""

    def __init__(self, sites: Sequence[Site]) -> None:
        """Begin with none; `sites` are all loops, by number, and get more as modules are imported."""
        self.sites = sites
        self.chain: tuple[int, ...] = ()
        """Numbers of the loops around the first `backward`, outermost first; empty until it was found."""

        self.counts: dict[int, int] = {}
        """Rounds that each loop has begun, since it was entered."""

        self.under_way = Counter[int]()
        """How often each loop is under way at present, for those whose frames can be left."""

        self.begun = 0
        """Rounds of the stepped loop that have begun since the capture."""

        self.scope: Scope | None = None
        """Scope of the stepped loop in its present round; None until it was found."""

        self.scopes: dict[int, Scope] = {}
        """Scope of each loop of `chain` in its present round, by the loop's number."""

        self.is_stepping = False
        """Whether a statement runs that was compiled alone."""

        self.tries: dict[str, list[LineRange]] = {}
        """Lines, by file, in which a `try` statement handles exceptions."""

        self._process = os.getpid()

    @property
    def is_in_copy(self) -> bool:
        """Whether this process is a copy, made by the script, of the one that it began in."""
        return os.getpid() != self._process

    @property
    def site(self) -> Site:
        """The stepped loop."""
        return self.sites[self.chain[-1]]

    def is_stepped(self, number: int) -> bool:
        """Return whether a loop is the stepped one."""
        return bool(self.chain) and number == self.chain[-1]

    def is_outermost(self, number: int) -> bool:
        """Return whether a loop is the outermost of those around the first `backward`."""
        return bool(self.chain) and number == self.chain[0]

    def with_outer(self, number: int) -> tuple[int, ...]:
        """Return the number of a loop, and those of the loops around it in the same function."""
        return number, *self.sites[number].outer

    def draws_items(self, number: int) -> bool:
        """Return whether a loop draws items, as `for` loops do."""
        return self.sites[number].place.kind is LoopKind.FOR

    def scope_in(self, number: int, names: FunctionType, frame: FrameType | None) -> Scope:
        """Return the scope of a loop in a frame; `names` holds the cells of its function."""
        return scope_of(self.sites[number].function, names, frame)

    def enter_scope(self, number: int, names: FunctionType, frame: FrameType | None) -> None:
        """Let the statements of the stepped loop run in its present frame from now on."""
        self.scope = self.scopes[number] = self.scope_in(number, names, frame)

    def is_handled(self, number: int) -> bool:
        """Return whether a `try` around a loop, in any function, may handle what a statement raised in it."""
        frame = inspect.currentframe()
        site = self.sites[number]
        assert self.scope is not None
        line, is_inner = site.place.lines.first, True
        while frame is not None:
            tries = self.tries.get(frame.f_code.co_filename, ())
            if is_inner and frame.f_globals is self.scope.variables:
                tries, is_inner = self.tries.get(site.place.file, ()), False
            elif not is_inner:
                line = frame.f_lineno
            if not is_inner and any(line in lines for lines in tries):
                return True
            frame = frame.f_back
        return False
