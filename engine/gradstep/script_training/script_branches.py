"""Throwaway branches of a script: its next statements run for real, and are then taken back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gradstep.capture.obstacles import Fact
from gradstep.captured_output import Printed
from gradstep.loop.run_actions import NextLine, RunAction
from gradstep.predicting.branches import Branches
from gradstep.problem import ScriptProblem
from gradstep.reasons import Reason
from gradstep.script_training.script_state import ScriptState
from gradstep.script_training.script_statements import ScriptStatements
from gradstep.training.apply_action import Perform

INEXACT = (Fact.NOT_PUT_BACK, Fact.OVERTAKES)
"""Facts of a script that cannot be taken back exactly."""

HANDING = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)


class ScriptBranches(Branches[ScriptState]):
    """Runs actions on throwaway branches of a session on a script's own loop."""

    def __init__(
        self,
        problem: Callable[[], ScriptProblem],
        statements: ScriptStatements,
        perform: Perform[ScriptState],
        facts: Callable[[], Sequence[Fact]],
    ) -> None:
        """Take what runs the script.

        Args:
            problem: Returns what is trained.
            statements: Runs the statements.
            perform: Applies an action to them.
            facts: Returns the peculiarities of the script so far.
        """
        super().__init__(problem, statements, perform, statements.state)
        self._statements, self._facts = statements, facts

    def obstacle(self, actions: Sequence[RunAction]) -> Reason | None:
        """Return why actions cannot be taken back exactly; None if they can.

        A script goes back to the begin of its round, and what ran in the round before runs again.
        """
        trainer, state = self._statements.trainer, self._statements.state
        if state.in_pass and isinstance(actions[0], NextLine):
            return super().obstacle(actions)
        exact = trainer.loop.is_exact and not any(fact in INEXACT for fact in self._facts())
        if not exact or trainer.lost or not self._statements.is_steady:
            return Reason.NOT_REPEATABLE
        if trainer.loop.hands_out and self._hands_on(actions):
            return Reason.HANDS_ON
        return None if trainer.reaches(state.trainer) else Reason.NOT_REPEATABLE

    def _hands_on(self, actions: Sequence[RunAction]) -> bool:
        """Return whether actions may leave a generator or a coroutine, by a statement or by a round's end."""
        if not all(isinstance(action, NextLine) for action in actions):
            return True
        ahead = self._statements.state.loop.ahead() or self._statements.state.loop.enabled
        if len(ahead) <= len(actions):
            return True
        loop = self._statements.state.loop
        return any(_may_hand_on(loop.statement(key).lines) for key in ahead[: len(actions)])

    @contextmanager
    def _taken_back(self, printed: Printed) -> Iterator[None]:
        """Do as on any branch, and run again at once what ran in the round before, with what it prints."""
        printed.catch_up()
        mark, trainer = printed.mark(), self._statements.trainer
        has_seen_loss = trainer.has_seen_loss
        with self._statements.branched():
            yield
        trainer.catch_up()
        if not has_seen_loss:
            trainer.forget_loss()
        printed.catch_up()
        printed.back_to(mark)


def _may_hand_on(lines: tuple[str, ...]) -> bool:
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:  # a part of a function, such as `return`
        return True
    return any(isinstance(node, HANDING) for node in ast.walk(tree))
