"""A script's loop beside its twin: the same start, with the statements in PyTorch's order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gradstep.analysis.comparison import Comparison, Side, compare
from gradstep.analysis.judgement import Finding
from gradstep.analysis.loop_verdict import EPOCHS, Verdict, first_difference
from gradstep.errors import EngineError, Stopped
from gradstep.ledger.ledger import since_zeroing
from gradstep.loop.script_loop import ScriptLoop
from gradstep.script_training.reference_order import reference_order
from gradstep.script_training.script_state import ScriptState
from gradstep.script_training.script_statements import ScriptStatements
from gradstep.tensors.bitwise import same_bits
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError

Rates = Sequence[tuple[int, float]]
"""Learning rates that the learner set: the number of rounds that had ended, and the rate."""


class OutOfReach(EngineError):  # noqa: N818 - named after what happened
    """The start cannot be gone back to without running the script anew."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__(
            "the script has drawn too much since its start to run its first rounds again beside the session: "
            "begin a new session, and compare earlier"
        )


@dataclass(frozen=True, slots=True)
class ScriptTwin:
    """Runs the rounds of a session again in PyTorch's order; every method leaves another state."""

    statements: ScriptStatements
    start: ScriptState

    def compared(
        self,
        session: ScriptState,
        session_after: Callable[[int], ScriptState],
        rates: Rates,
        stopped: Callable[[], bool],
        tell: Callable[[Progress], None],
    ) -> Comparison:
        """Return the comparison of a session with its twin after equally many rounds.

        Raises:
            OutOfReach: the script cannot go back to its start.
            Stopped: `stopped` returned True.
            PyTorchError: the script raised.
        """
        names = tuple(self.statements.trainer.problem.parameters)
        twin = self.after(session.epoch, rates, stopped, tell)
        return compare(
            names,
            Side(session.losses, session_after, session),
            Side(twin.losses, partial(self.after, rates=rates, stopped=stopped, tell=tell), twin),
        )

    def after(
        self,
        rounds: int,
        rates: Rates,
        stopped: Callable[[], bool],
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> ScriptState:
        """Return the twin's state after a number of rounds."""
        order = reference_order(self.start.loop) or self.start.loop.enabled
        self._begin()
        statements = self.statements
        tell(Progress(rounds, 0, statements.state.losses, time.monotonic()))
        for until, rate in [*rates, (rounds, None)]:
            ahead = min(until, rounds) - statements.state.epoch
            if ahead > 0 and not statements.state.loop.over:
                statements.run_rounds(ahead, stopped, order)
            if stopped():
                raise Stopped
            if rate is not None and until < rounds:
                statements.set_rate(rate)
        return statements.state

    def judged(self, loop: ScriptLoop) -> Verdict:
        """Return the verdict on the learner's loop, after a few rounds of it and of its twin."""
        wanted = self._rounds(reference_order(self.start.loop))
        error: PyTorchError | None = None
        edited = list[ScriptState]()
        try:
            self._rounds(loop.enabled, edited)
        except PyTorchError as raised:
            error = raised
        names = tuple(self.statements.trainer.problem.parameters)
        difference = first_difference(
            names,
            [state.trainer.parameters for state in edited],
            [state.trainer.parameters for state in wanted],
        )
        finding = self._finding(edited, difference is not None, error)
        return Verdict(finding, len(wanted), difference, error, len(edited) + 1)

    def _finding(self, edited: Sequence[ScriptState], differs: bool, error: PyTorchError | None) -> Finding:
        if error is not None:
            return Finding.RAISES
        first = self.start.trainer.parameters
        if not edited or all(map(same_bits, edited[-1].trainer.parameters, first)):
            return Finding.NEVER_UPDATES
        if not differs:
            return Finding.EQUIVALENT
        return Finding.ACCUMULATES if self._accumulates(edited[-1]) else Finding.DIFFERS

    def _accumulates(self, state: ScriptState) -> bool:
        """Return whether gradients of several rounds add up in some `.grad`."""
        for name in self.statements.trainer.problem.parameters:
            parts = since_zeroing(state.ledger.newest_first(name))
            if len({part.epoch for part in parts}) > 1:
                return True
        return False

    def _rounds(
        self, order: tuple[int, ...] | None, states: list[ScriptState] | None = None
    ) -> list[ScriptState]:
        """Run a few rounds of an order of statements, recorded, and return the state after each."""
        found = [] if states is None else states
        self._begin()
        statements = self.statements
        keys = self.start.loop.enabled if order is None else order
        for _ in range(EPOCHS):
            if statements.state.loop.over:
                break
            statements.run_keys(keys)
            found.append(statements.state)
        return found

    def _begin(self) -> None:
        trainer = self.statements.trainer
        if not trainer.reaches(self.start.trainer) and not trainer.loop.hands_out:
            raise OutOfReach
        self.statements.return_to(self.start)
