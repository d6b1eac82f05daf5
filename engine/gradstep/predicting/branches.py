"""Throwaway branches: what comes next runs for real, and everything is then as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic

from gradstep.captured_output import KeptFromTerminal, Printed
from gradstep.errors import BadInput, EngineError
from gradstep.frame_builder import Trained
from gradstep.loop.run_actions import RunAction
from gradstep.predicting.case import BranchRun
from gradstep.reasons import Reason
from gradstep.training.apply_action import Perform
from gradstep.training.machine import Machine, S


class Branches(Generic[S]):
    """Runs actions on throwaway branches of a session on the built-in loop."""

    def __init__(
        self, problem: Callable[[], Trained], machine: Machine[Any, S], perform: Perform[S], start: S
    ) -> None:
        """Take what runs the session.

        Args:
            problem: Returns what is trained.
            machine: Machine that runs the statements.
            perform: Applies an action to it.
            start: First state of the session.
        """
        self._problem, self._machine = problem, machine
        self._perform, self._start = perform, start

    def obstacle(self, actions: Sequence[RunAction]) -> Reason | None:
        """Return why actions cannot be taken back exactly; None if they can."""
        return None if self._machine.is_steady else Reason.NOT_REPEATABLE

    @contextmanager
    def run(
        self, actions: Sequence[RunAction], stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[BranchRun]:
        """Run actions, yield what came of them, and go back to the state before.

        What the learner's code prints meanwhile is forgotten.

        Args:
            actions: Actions, at least one.
            stopped: Polled between the epochs of a run; return True to end the run early.

        Raises:
            BadInput: a value of an action cannot be used.
        """
        problem = self._problem()
        with KeptFromTerminal(problem.printed), self._taken_back(problem.printed):
            before = self._machine.state
            error: EngineError | None = None
            try:
                for action in actions:
                    self._perform(action, self._start, stopped)
            except BadInput:
                raise
            except EngineError as raised:
                error = raised
            yield BranchRun(problem, before, self._machine.state, tuple(actions), error)

    @contextmanager
    def _taken_back(self, printed: Printed) -> Iterator[None]:
        printed.catch_up()
        mark = printed.mark()
        with self._machine.branched():
            yield
        printed.catch_up()
        printed.back_to(mark)
