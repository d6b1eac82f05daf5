"""Comparisons of a session with its twin, or with another branch of its own history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from gradstep.analysis.comparison import Comparison, Side, compare
from gradstep.analysis.twin import Schedule, Twin, schedule_of, shortened, with_momentum
from gradstep.errors import Stopped
from gradstep.history.checkpoints import Travel
from gradstep.history.tree import History, Point, Setting, setting_after
from gradstep.ledger.ledger import Zeroed
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, SGD
from gradstep.problem import Problem
from gradstep.training.progress import Progress
from gradstep.training.state import State
from gradstep.training.stepper import Statements

ShouldStop: TypeAlias = Callable[[], bool]
"""Returns True if the learner has stopped the comparison; called between epochs."""

Tell: TypeAlias = Callable[[Progress], None]
"""Called with the progress of a run of epochs."""

MOMENTUM_EPOCHS = 300
"""Limit on the epochs of a session that are run again with `torch.optim.SGD(momentum=1)`."""


class RunComparer:
    """Compares a session with other runs; every method leaves the statements in another state."""

    def __init__(
        self, problem: Problem, statements: Statements, history: History, travel: Travel[State]
    ) -> None:
        """Create comparisons of a session, whose start is the present state of `statements`.

        Args:
            problem: Problem of the session.
            statements: Runs epochs; the caller restores its state.
            history: Tree of the session's actions, with the point at which the session is.
            travel: Puts `statements` into the state of any point of the history.
        """
        self._problem = problem
        self._names = tuple(problem.parameters)
        self._statements = statements
        self._history = history
        self._travel = travel
        self._start = statements.state
        self._twin = Twin(statements, self._start, problem.reference_loop())

    def twin(self, stopped: ShouldStop, tell: Tell) -> Comparison:
        """Return the comparison of the session's present state with its twin.

        Raises:
            Stopped: `stopped` returned True.
            PyTorchError: the reference loop cannot run on this problem.
        """
        session, schedule, setting = self._statements.state, self._schedule(), self._setting()
        self._twin.after(schedule, stopped, tell)
        twin = self._twin.catch_up(session, setting)
        found = compare(
            self._names,
            Side(session.losses, partial(self._session_after, stopped, tell), session),
            Side(
                twin.losses, lambda epoch: self._twin.after(shortened(schedule, epoch), stopped, tell), twin
            ),
        )
        return replace(found, momentum=self._momentum(session, schedule, stopped))

    def branch(self, number: int, stopped: ShouldStop, tell: Tell) -> Comparison:
        """Return the comparison of the session with a point of its history, after equally many epochs.

        Raises:
            BadInput: the history has no point with that number.
            Stopped: `stopped` returned True.
        """
        session, point = self._statements.state, self._history.point(number)
        after = partial(self._after, point, stopped, tell)
        self._travel.go(point)
        other = self._statements.state
        epochs = min(session.epoch, other.epoch)
        own_state = session if session.epoch == epochs else self._session_after(stopped, tell, epochs)
        other_state = other if other.epoch == epochs else after(epochs)
        return compare(
            self._names,
            Side(session.losses, partial(self._session_after, stopped, tell), own_state),
            Side(other.losses, after, other_state),
        )

    def _setting(self) -> Setting:
        """Return the setting of the epoch under way."""
        here = self._history.here
        if here.before is None or not self._history.inside:
            return here.updated_at or here.setting
        before, now = here.before, self._statements.state
        if now.loop.has_updated:
            return before.updated_at or before.setting
        return setting_after(before, here.action, now)

    def _schedule(self) -> Schedule:
        """Return the settings of the session's epochs."""
        here, inside, now = self._history.here, self._history.inside, self._statements.state
        if not inside or here.before is None:
            return schedule_of([*here.way()][::-1])
        before = here.before
        setting = setting_after(before, here.action, now)
        part = Point(-1, before, here.action, now.epoch, now.loss, setting, None)
        return schedule_of([*[*before.way()][::-1], part])

    def _session_after(self, stopped: ShouldStop, tell: Tell, epochs: int) -> State:
        here, inside = self._history.here, self._history.inside
        if inside and here.before is not None:
            if epochs > here.before.epoch:
                if self._travel.go_into_run(here, epochs, stopped, tell) < epochs:
                    raise Stopped
                return self._statements.state
            here = here.before
        return self._after(here, stopped, tell, epochs)

    def _after(self, point: Point, stopped: ShouldStop, tell: Tell, epochs: int) -> State:
        if self._travel.go_to_epoch(point, epochs, stopped, tell) < epochs:
            raise Stopped
        return self._statements.state

    def _momentum(self, session: State, schedule: Schedule, stopped: ShouldStop) -> float | None:
        """Return the largest relative distance of the session's weights from those of SGD with momentum 1.

        None unless the two are expected to be the same: plain SGD on the full batch that was never zeroed.
        """
        if not session.loop.complete or not 0 < session.epoch <= MOMENTUM_EPOCHS:
            return None
        if session.loop.is_enabled(Kind.ZERO) or session.diverged:
            return None
        if not {setting.optimizer for _, setting in schedule} <= {HAND, SGD}:
            return None
        if any(not setting.batches.full for _, setting in schedule):
            return None
        if self._zeroed(session):  # last: it goes through the whole ledger
            return None
        self._statements.return_to(self._start)
        with self._statements.borrowed(writes_tensors=True):
            found = with_momentum(self._problem, self._start.trainer.parameters, schedule, stopped)
        distances = [
            float((own - other).abs().max() / other.abs().max().clamp(min=1e-30))
            for own, other in zip(session.trainer.parameters, found, strict=True)
            if own.numel()
        ]
        return max(distances, default=None)

    def _zeroed(self, session: State) -> bool:
        lines = (line for name in self._names for line in session.ledger.newest_first(name))
        return any(isinstance(line, Zeroed) for line in lines)
