"""What a run of a script did not watch because it takes time, and a second run has to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from types import FrameType
from typing import Final, TypeAlias

from gradstep.capture.sites import Site

LoopKey: TypeAlias = tuple[str, int]
"""File and first line of a loop."""

FREE: Final = 0.25
"""Seconds that copies of states at the begins of rounds may take in any case."""

SHARE: Final = 0.03
"""Part of a script's time that these copies may take."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What a second run watches."""

    loops: frozenset[LoopKey] = frozenset()
    """Loops whose text did not tell that they lead to a pass."""

    start: tuple[LoopKey, int] | None = None
    """The one round at whose begin the state has to be kept: its loop, and its number there from 1."""

    opens: bool = False
    """Whether the script is parked at that begin at once: a `yield` before the pass cannot be taken back."""


class KeepingBudget:
    """Decides at which rounds' begins the state is kept, so that a long way to the loop stays a short one."""

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self.only: tuple[LoopKey, int] | None = None
        """The one round whose state is kept; None for as many as there is time for."""

        self._first, self._spent = perf_counter(), 0.0
        self._rounds: Counter[int] = Counter()

    def number(self, loop: int) -> int:
        """Count a round of a loop, and return its number."""
        self._rounds[loop] += 1
        return self._rounds[loop]

    def allows(self, key: LoopKey, number: int) -> bool:
        """Return whether the state at the begin of a round is kept."""
        if self.only is not None:
            return self.only == (key, number)
        return self._spent < FREE or self._spent < SHARE * (perf_counter() - self._first)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time that the `with` block takes."""
        before = perf_counter()
        try:
            yield
        finally:
            self._spent += perf_counter() - before


def plain_loops(sites: Collection[Site], frame: FrameType | None) -> frozenset[LoopKey]:
    """Return the loops without calls at their rounds in whose bodies a frame and its callers are."""
    plain = [site for site in sites if not site.leads]
    found: set[LoopKey] = set()
    while frame is not None and plain:
        code = frame.f_code
        function = "" if code.co_name == "<module>" else code.co_qualname
        found |= {
            site.key
            for site in plain
            if site.place.file == code.co_filename
            and site.place.function == function
            and frame.f_lineno in site.body_lines
        }
        frame = frame.f_back
    return frozenset(found)
