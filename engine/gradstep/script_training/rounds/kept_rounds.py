"""Many rounds in a row, of which the complete ones stay when one of them is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, TypeAlias

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_moments import LoopMoment
from gradstep.capture.parking.loop_errors import NotTakenBack
from gradstep.learner_code.interruption import Interrupted
from gradstep.script_training.rounds.round_losses import RoundLosses

SHORTEST: Final = 0.25
"""Seconds between two rounds whose begin is kept, at least."""

LONGEST: Final = 1.0
"""Seconds between them, at most, unless keeping takes long."""

SPARED, MOST_SPENT = 100, 20
"""How many times as long as the last keeping took there is none, if that is not too long, and in any case."""

UNDISTURBED: Final = 1.5
"""Seconds that rounds may take which run again after an interruption; then fewer stay."""

RunRounds: TypeAlias = Callable[[int, Callable[[], bool]], object]
"""Runs rounds: their number, and what is polled between them and returns True to stop."""


class KeptRounds:
    """Keeps the begin of a round now and then, to go back to when a later round is interrupted."""

    def __init__(self, loop: CapturedLoop, losses: RoundLosses, moment: LoopMoment | None) -> None:
        """Begin at the begin of a round.

        Args:
            loop: The script's loop.
            losses: Losses of the rounds.
            moment: The present moment; None to keep it here.
        """
        self._loop, self._losses = loop, losses
        self._first = self._done = loop.position.done
        self._moment = loop.keep() if moment is None else moment
        self._loss = losses.last
        self._due = monotonic() + SHORTEST

    def run(self, rounds: RunRounds, count: int, stopped: Callable[[], bool]) -> None:
        """Run rounds until they are done, the loop is over, or `stopped` returns True."""
        end = self._first + count
        while not self._loop.over and (left := end - self._loop.position.done) > 0 and not stopped():
            rounds(left, lambda: stopped() or monotonic() > self._due)
            if monotonic() > self._due and self._loop.is_at_begin:
                self._keep()

    def take_back(self, rounds: RunRounds) -> bool:
        """Take back the round that was interrupted; return whether rounds before it stay.

        Those since the last round that was kept run again. If that takes long, they are taken back, too.
        """
        self._losses.end()
        done = self._loop.position.done
        if done == self._first:
            return False
        try:
            self._loop.go_back(self._moment)
            try:
                with self._loop.undisturbed(UNDISTURBED):
                    rounds(done - self._done, lambda: False)
            except (Exception, Interrupted):
                self._loop.go_back(self._moment)
                self._losses.last = self._loss
        except NotTakenBack:
            return False
        return self._loop.position.done > self._first

    def _keep(self) -> None:
        began = monotonic()
        self._moment, self._done = self._loop.keep(), self._loop.position.done
        self._loss = self._losses.last
        now = monotonic()
        cost = now - began
        self._due = now + max(SHORTEST, min(SPARED * cost, LONGEST), MOST_SPENT * cost)
