"""Finds out whether the history has shown an answer already, on whatever branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

from gradstep.actions import ran_by
from gradstep.errors import BadInput
from gradstep.history.tree import History, Point
from gradstep.loop.run_actions import RunAction
from gradstep.predicting.case import BranchRun
from gradstep.predicting.readings import reply_in
from gradstep.predictions.judging import Doing, Posed
from gradstep.predictions.question import Asked, Choice
from gradstep.training.state import TrainingState

MOST_LOOKS: Final = 16
"""Points whose states are compared, the newest."""

RUNNING: Final = get_args(RunAction)

StateAt = Callable[[Point], TrainingState | None]
"""Returns the state of a point; None if it is not kept."""


def has_looked(history: History, state_at: StateAt, ran: BranchRun, posed: Posed) -> bool:
    """Return whether a point of the history shows what a question asks for.

    A point shows it if something ran on the way there, if it stands where the question's actions lead to, and
    if the number is the same there. A point whose state is not kept counts if its loss is the same.

    Args:
        history: The session's history; it stands where the question is asked.
        state_at: Returns the state of a point.
        ran: What the question is about.
        posed: The question with its truth.
    """
    alike = [point for point in history.points if point is not history.here and _is_alike(point, ran)]
    return any(_shows(point, state_at(point), ran, posed) for point in reversed(alike[-MOST_LOOKS:]))


def _is_alike(point: Point, ran: BranchRun) -> bool:
    ran_something = point.action is not None and isinstance(ran_by(point.action), RUNNING)
    return ran_something and point.epoch == ran.after.epoch and str(point.loss) == str(ran.after.loss)


def _shows(point: Point, state: TrainingState | None, ran: BranchRun, posed: Posed) -> bool:
    if posed.truth is Choice.RAISES:
        known = point.prediction
        return known is not None and known.posed.truth is Choice.RAISES and known.posed.doing is posed.doing
    if state is None:
        return True
    if not _is_as_far(state, ran, posed):
        return False
    try:
        return reply_in(ran.problem, ran.before, state, posed.question.target) == posed.truth
    except (BadInput, IndexError):
        return False


def _is_as_far(state: TrainingState, ran: BranchRun, posed: Posed) -> bool:
    """Return whether a state stands where the actions lead to, or further in the same pass."""
    if ran.doing is Doing.NODE:
        passing, shown = state.passing, ran.after.passing
        assert shown is not None
        return passing is not None and not passing.over and passing.cursor >= shown.cursor
    if state.in_pass:
        return posed.question.target.asked is Asked.GRAD and ran.doing is Doing.BACKWARD
    return state.loop.next == ran.after.loop.next
