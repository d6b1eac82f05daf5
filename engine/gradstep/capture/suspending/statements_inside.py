"""Statements with `yield` or `await`, which run in the script's own frame: only it can be left."""

from __future__ import annotations

import sys
from collections.abc import Callable

from gradstep.capture.loop_places import Parking


def tells_to_end(error: BaseException | None) -> bool:
    """Return whether a generator or a coroutine is told to end by an exception."""
    asyncio = sys.modules.get("asyncio")  # only a script that imports it can raise its exceptions
    return isinstance(error, GeneratorExit) or (
        asyncio is not None and isinstance(error, asyncio.CancelledError)
    )


class StatementsInside:
    """The one statement that runs in the frame of the stepped loop."""

    def __init__(self, park: Callable[[Parking], None], takes: Callable[[BaseException], bool]) -> None:
        """Begin with none.

        Args:
            park: Parks the script.
            takes: Returns whether the script goes on, or ends, with what a statement raised.
        """
        self._park, self._takes = park, takes
        self.wanted: int | None = None
        """Index of the statement that the frame shall run as soon as it goes on."""

        self.running: int | None = None
        """Index of the statement that runs."""

        self.error: BaseException | None = None
        """What the last statement raised; None if it raised nothing, or the script goes on with it."""

    def want(self, index: int) -> None:
        """Have the frame run a statement."""
        self.wanted, self.running, self.error = index, None, None

    def next(self) -> bool:
        """Park the script after a statement; return whether another one shall run."""
        if self.running is not None:
            self.running = None
            self._park(Parking.STATEMENT)
        if self.wanted is None:
            return False
        self.running, self.wanted = self.wanted, None
        return True

    def leave(self) -> None:
        """Park the script before it leaves its function."""
        self.running = None
        self._park(Parking.STATEMENT)

    def fails(self) -> bool:
        """Take note of what the statement raised; return whether the frame shall have it at once."""
        error = sys.exception()
        assert error is not None
        if tells_to_end(error):
            self.running = None
            return True
        if not self._takes(error):
            self.error = error
        return False
