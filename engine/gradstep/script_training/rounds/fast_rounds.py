"""Rounds that a script runs by itself, unrecorded, at its own speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import watched
from gradstep.capture.loop_moments import LoopMoment
from gradstep.capture.loop_places import Control
from gradstep.learner_code.interruption import Interrupted
from gradstep.script_training.rounds.kept_rounds import KeptRounds, RunRounds
from gradstep.script_training.rounds.round_losses import RoundLosses
from gradstep.script_training.script_snapshot import ZERO_ALL, PastRounds
from gradstep.training.pytorch_errors import PyTorchError, learners_code


class FastRounds:
    """A run of whole rounds, from the begin of one."""

    def __init__(
        self,
        loop: CapturedLoop,
        order: Sequence[int] | None,
        losses: RoundLosses,
        drop_grads: Callable[[], None],
        moment: LoopMoment | None = None,
    ) -> None:
        """Prepare the run.

        Args:
            loop: The loop.
            order: Keys of the statements of a round, in their order; None for the script's own round.
            losses: Takes the loss of each round.
            drop_grads: Sets every `.grad` to None.
            moment: The present moment; None to keep it here.
        """
        self._loop, self._order, self._losses, self._drop_grads = loop, order, losses, drop_grads
        loop.next_statement = 0  # what ran out of order has not begun the round
        self._first = loop.position.done
        self._kept = KeptRounds(loop, losses, moment)
        self.failed_after: tuple[int, ...] | None = None
        """Keys of what had run in the round that raised; None if none raised."""

        self.is_interrupted = False
        """Whether the learner stopped a round, which was taken back."""

    def run(self, count: int, stopped: Callable[[], bool]) -> None:
        """Run a number of rounds.

        Args:
            count: How many rounds.
            stopped: Polled between rounds; return True to stop.

        Raises:
            PyTorchError: a round raised.
            Interrupted: the learner stopped the first round; if it was a later one, those before it stay.
        """
        loop, losses = self._loop, self._losses
        rounds: RunRounds = loop.run if self._order is None else partial(self._run_edited, self._order)
        try:
            with learners_code(), watched(losses.seen), loop.rounds_watched(losses.end_round):
                self._kept.run(rounds, count, stopped)
        except (PyTorchError, Interrupted) as error:
            self.is_interrupted = isinstance(error, Interrupted) and self._kept.take_back(rounds)
            if not self.is_interrupted:
                if self.failed_after is None:
                    self.failed_after = tuple(range(loop.next_statement))
                raise
            self.failed_after = None
        finally:
            losses.end()

    def _run_edited(self, order: Sequence[int], count: int, stopped: Callable[[], bool]) -> None:
        for _ in range(count):
            if self._loop.over or stopped():
                return
            control = Control.NEXT
            for place, key in enumerate(order):
                self.failed_after = tuple(order[:place])
                if key == ZERO_ALL:
                    self._drop_grads()
                    continue
                if (control := self._loop.run_statement(key)) is not Control.NEXT:
                    break
            self.failed_after = None
            self._loop.end_round(control)

    def after(self, past: PastRounds) -> PastRounds:
        """Return earlier rounds followed by those that have run."""
        order, done = self._order, self._loop.position.done - self._first
        past = past.and_then(done, None if order is None else tuple(order))
        if self.failed_after is None:
            return past
        keys = range(len(self._loop.statements)) if order is None else order
        return past.and_then(0, tuple(keys[: len(self.failed_after) + 1]))
