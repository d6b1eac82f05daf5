"""Where and how long the script is parked, in its own thread, and how it comes back into its loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gradstep.capture.draws import Draws
from gradstep.capture.handover import Handover
from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Parking

MOST_REPEATED: Final = 20
"""Rounds of outer loops in which a script that is taken back may miss its inner loop."""


class Rewind(BaseException):
    """Raised by the first `backward`, and caught at the head of the loop that it stands in."""


class Parker:
    """Parks the script until the session lets it go on."""

    def __init__(self, loop: SteppedLoop, handover: Handover, draws: Draws) -> None:
        """Make the parker of a script that has not begun.

        Args:
            loop: The loop that is stepped.
            handover: The script's thread.
            draws: Hands out the items of loops.
        """
        self._loop, self._handover, self._draws = loop, handover, draws
        self.error: BaseException | None = None
        """Exception of the round in which the script is parked; None if it raised none."""

        self.free_rounds = 0
        """Rounds that the script runs by itself before it parks."""

        self.stopped: Callable[[], bool] = lambda: False
        """Asked before each of these rounds; returns True to have the script park."""

        self.seeks = False
        """Whether the script comes back to the begin of a round, wherever it was parked."""

    def park(self, why: Parking) -> None:
        """Wait until the session lets the script go on, and do what it asks for."""
        self._handover.park(why)

    def runs_on(self) -> bool:
        """Return whether the script runs the round that begins without parking before it."""
        if self.free_rounds and not self.stopped():
            self.free_rounds -= 1
            return True
        return False

    def seek(self) -> None:
        """Have the script come back to the begin of a round, wherever it is parked, as soon as it goes on."""
        self.seeks, self.free_rounds = True, 0
        self._draws.repeats = MOST_REPEATED

    def found(self) -> None:
        """Take note that the script has come back to the begin of a round."""
        self.seeks, self._draws.repeats = False, 0

    def over(self) -> bool:
        """Park the script at the end of its loop; return True once it shall come back into its rounds."""
        if self._loop.is_in_copy:
            return False
        self.free_rounds = 0
        self.found()
        while not self.seeks:
            self.park(Parking.OVER)
        return True

    def ends(self) -> bool:
        """Park the script as `over` does, unless the outermost loop is under way in another frame, too."""
        outermost = self._loop.sites[self._loop.chain[0]]
        return not (outermost.yields and self._loop.under_way[outermost.number] > 1) and self.over()

    def closed(self, number: int) -> None:
        """Park the script if a generator is closed that the outermost loop stands in."""
        if self._loop.chain[0] in self._loop.with_outer(number):
            self.ends()

    def ended(self, error: BaseException | None) -> None:
        """Park the script for good at its very end."""
        self.error = error
        while True:
            self.park(Parking.ENDED)
