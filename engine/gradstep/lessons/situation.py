"""What has happened in the present step of a lesson, read from the session's history and from its views."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.history.happening import StatementDone
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ROLES, ScriptLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.frame import Frame
    from gradstep.history.happening import Happening
    from gradstep.history.timeline import Stop
    from gradstep.loop.loop import StatementKey
    from gradstep.session import Session


class Milestone(StrEnum):
    """Something that can be seen on a bench, for the condition `seen`."""

    NODES = "nodes"
    """A backward pass, stepped node by node."""

    ACCUMULATION = "accumulation"
    """A backward pass that added to gradients other than zero."""

    DIVERGENCE = "divergence"
    """A loss that is no longer finite."""


@dataclass(frozen=True, slots=True)
class Events:
    """What a step has seen that the history does not keep."""

    opened: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    verdict: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """The present state, and what was done in the present step."""

    frame: Frame
    did: frozenset[str]
    """Words of the actions on the present line of the history, after the place at which the step began."""

    events: Events

    def texts(self, head: str) -> frozenset[str]:
        """Return what was done, opened, refused, seen, or found by a verdict, by the field of a condition."""
        found: frozenset[str] = self.did if head == "did" else getattr(self.events, head)
        return found


def situation_of(session: Session, place: int, events: Events) -> Situation:
    """Return the situation of a step that began at a point of the history.

    Args:
        session: The session.
        place: Number of the point.
        events: What was opened, refused or seen in the step.
    """
    frame = session.frame
    stops = session.timeline().stops[: frame.position + 1]
    began = next((at for at, stop in enumerate(stops) if stop.number == place), None)
    if began is None:  # the learner went back beyond it, and on from there
        began = _fork(session, place, stops)
    done = stops[began + 1 :]
    return Situation(frame, frozenset(word for stop in done for word in _words(stop, frame)), events)


def milestones_of(session: Session) -> frozenset[str]:
    """Return the milestones that the present state shows."""
    state, found = session.state, set[str]()
    passing = state.passing
    if passing is not None and not passing.over:
        if not passing.finished and passing.cursor:
            found.add(Milestone.NODES)
        if any(w.before is not None and bool(w.before.any()) for w in passing.accumulated().values()):
            found.add(Milestone.ACCUMULATION)
    if state.diverged:
        found.add(Milestone.DIVERGENCE)
    return frozenset(found)


def _fork(session: Session, place: int, stops: tuple[Stop, ...]) -> int:
    """Return the place in a line at which the way to a point left it."""
    way = {stop.number for stop in session.timeline(place).stops}
    return max((at for at, stop in enumerate(stops) if stop.number in way), default=0)


def _words(stop: Stop, frame: Frame) -> Iterator[str]:
    if stop.action is None:
        return
    for action in (stop.action, *getattr(getattr(stop.action, "question", None), "after", ())):
        yield from words_of(action, stop.happening, frame.loop)


def words_of(action: Action, happening: Happening | None, loop: object) -> tuple[str, ...]:
    """Return the words for what an action did; a line that was run by the key for the next one counts too.

    Args:
        action: The action.
        happening: What it did; None if its name says it all.
        loop: Loop of the session.
    """
    if isinstance(action, NextLine):
        ran = _statement_words(happening.key, loop) if isinstance(happening, StatementDone) else ()
        return ("next", *ran)
    if isinstance(action, RunEpochs):
        return ("run", "epoch") if action.count == 1 else ("run",)
    if isinstance(action, MoveStatement):
        return ("up",) if action.steps < 0 else ("down",)
    return tuple(word for kind, word in NAMED.items() if isinstance(action, kind))


def _statement_words(key: StatementKey, loop: object) -> tuple[str, ...]:
    if isinstance(key, Kind):
        return (str(key),)
    if not isinstance(loop, ScriptLoop):
        return ()
    roles = loop.statement(key).roles
    return tuple(str(kind) for kind, of_kind in ROLES.items() if roles & of_kind)


NAMED = {
    Forward: "forward",
    Backward: "backward",
    Update: "update",
    Zero: "zero",
    StepNode: "node",
    StepTo: "node",
    StepNodeBack: "back",
    ToggleSetToNone: "none",
    ToggleStatement: "comment",
    ToggleZeroing: "comment",
    SetLearningRate: "rate",
    RaiseLearningRate: "rate",
    LowerLearningRate: "rate",
    SetOptimizer: "optimizer",
    SetBatches: "batches",
}
"""Word of each kind of action."""
