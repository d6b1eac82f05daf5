"""Effect of each action on a session on a script's own loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    RaiseLearningRate,
    Reset,
    RunEpochs,
    RunOuter,
    SetLearningRate,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
    checked_count,
    checked_key,
    checked_rate,
    checked_steps,
)
from gradstep.learner_code.interruption import Interrupted
from gradstep.loop.learning_rate import lowered, raised
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ScriptLoop
from gradstep.notices import Notice, RunDiverged, RunStopped
from gradstep.script_training.script_state import ScriptState
from gradstep.script_training.script_statements import ScriptStatements
from gradstep.training.apply_action import LINES, stepped, summarized
from gradstep.training.epochs import Ended
from gradstep.training.progress import Progress
from gradstep.training.snapshots import LastEpochs

MOST_ROUNDS = 1_000_000
"""Largest number of rounds until the outer loop begins its next round."""


@dataclass(frozen=True, slots=True)
class ScriptPerform:
    """Applies actions to the statements of a script."""

    statements: ScriptStatements

    def __call__(
        self,
        action: Action,
        start: ScriptState,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> Ended:
        """Apply an action that is no move in the history; for errors see `apply_action.perform`."""
        statements, before = self.statements, self.statements.state
        match action:
            case RunEpochs(count):
                return _in_sum(statements, self._run(checked_count(count), stopped, tell), before)
            case RunOuter():
                return _in_sum(statements, self._run_outer(stopped, tell), before)
            case Forward() | Backward() | Update() | Zero():
                self._run_kind(LINES[type(action)])
            case SetLearningRate(value):
                statements.set_rate(checked_rate(value))
            case RaiseLearningRate():
                statements.set_rate(raised(before.learning_rate))
            case LowerLearningRate():
                statements.set_rate(lowered(before.learning_rate))
            case Reset():
                statements.return_to(before.rewound_to(start))
            case _ if not stepped(statements, action):
                statements.return_to(replace(before, loop=edited(before.loop, action)))
        return Ended(summarized(before, statements.state, statements.trainer.trace_limit))

    def _run_kind(self, kind: Kind) -> None:
        statements = self.statements
        keys = statements.state.loop.keys_of(kind)
        if kind is Kind.BACKWARD and statements.state.in_pass:
            statements.next_line()
            return
        if kind is Kind.ZERO:
            for key in keys:
                statements.run(key)
                if statements.state.loop.over:
                    break
        else:
            statements.run_to(keys)
        statements.settle()

    def _run(self, count: int, stopped: Callable[[], bool], tell: Callable[[Progress], None]) -> Ended:
        """Run rounds; what is left of a round under way counts as the first, and the last is recorded."""
        statements = self.statements
        progress = Progress(count, statements.state.epoch, statements.state.losses, time.monotonic())
        tell(progress)
        done = 0
        if not statements.state.loop.complete:
            self._recorded_round()
            done = 1
        first, fast = statements.state, count - done - 1
        if fast > 0 and not statements.state.loop.over and not stopped():
            buffer = statements.state.losses
            tell(replace(progress, losses=buffer))
            done += statements.run_rounds(fast, stopped)
            if statements.trainer.is_interrupted:
                statements.look_at_variables()
                return _ended(statements.state, done, count)
            if done == 1 and statements.state.loop.over and statements.can_return_to(first):
                statements.return_to(first)  # a single round is recorded, as it is when it is asked for
                self._recorded_round()
        if done < count and not statements.state.loop.over and not stopped():
            done += self._last_round(is_first=not done)
        elif done > 1:
            statements.look_at_variables()
        if done > 1 and statements.state.loop.over:
            statements.take_for_unrecorded(first)
        return _ended(statements.state, done, count)

    def _run_outer(self, stopped: Callable[[], bool], tell: Callable[[Progress], None]) -> Ended:
        statements = self.statements
        heads = statements.trainer.loop.position.rounds
        progress = Progress(MOST_ROUNDS, statements.state.epoch, statements.state.losses, time.monotonic())
        tell(progress)

        def next_begun() -> bool:
            return statements.trainer.loop.position.rounds[:-1] != heads[:-1]

        done = 0
        if not statements.state.loop.complete:
            self._recorded_round()
            done = 1
        if not next_begun() and not statements.state.loop.over and not stopped():
            done += statements.run_rounds(MOST_ROUNDS, lambda: next_begun() or stopped())
        return Ended(_diverged(statements.state), done)

    def _recorded_round(self) -> None:
        """Run what is left of a round, or a whole one, one statement at a time."""
        statements = self.statements
        if statements.state.in_pass:
            statements.next_line()
            if statements.state.loop.complete:
                return
        statements.run_rest()

    def _last_round(self, *, is_first: bool) -> int:
        """Run a whole round, recorded; return 0 if the learner interrupted it, and rounds before it stay."""
        statements, before = self.statements, self.statements.state
        try:
            self._recorded_round()
        except Interrupted:
            if is_first:
                raise
            statements.put_back_after_interruption(before)
            return 0
        return 1


def _in_sum(statements: ScriptStatements, ended: Ended, before: ScriptState) -> Ended:
    """Note in the state that rounds have run since an earlier state, and return the outcome."""
    now = statements.state
    if now is not before:
        last = LastEpochs(before.trainer, now.epoch - before.epoch, before.epoch)
        statements.return_to(replace(now, last=last))
    return ended


def edited(loop: ScriptLoop, action: Action) -> ScriptLoop:
    """Return a loop after an edit.

    Raises:
        BadInput: the loop has no such statement.
    """
    count = len(loop.statements)
    match action:
        case ToggleZeroing():
            for key in loop.keys_of(Kind.ZERO):
                loop = loop.toggled(key)
            return loop
        case ToggleStatement(key):
            return loop.toggled(checked_key(key, count))
        case MoveStatement(key, steps):
            return loop.moved(checked_key(key, count), checked_steps(steps))
        case _:
            raise TypeError(f"{action!r} changes no state by itself")


def _ended(state: ScriptState, done: int, count: int) -> Ended:
    diverged = _diverged(state)
    if done < count:
        return Ended(diverged or RunStopped(done, count), done)
    return Ended(diverged)


def _diverged(state: ScriptState) -> Notice | None:
    if not state.diverged or state.loss is None:
        return None
    return RunDiverged(len(state.losses), state.loss, zeroing=state.loop.is_enabled(Kind.ZERO))
