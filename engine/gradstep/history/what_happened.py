"""Finds out what an action did."""

from __future__ import annotations

from typing import Final

from gradstep.actions import (
    Action,
    Answer,
    NextLine,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    ToggleZeroing,
)
from gradstep.autograd.events import Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent, event_name
from gradstep.history.happening import EventKind, EventReached, Happening, StatementDone, StatementSwitched
from gradstep.loop.loop import Kind, StatementKey
from gradstep.training.state import TrainingState

KINDS: Final[dict[type[Event], EventKind]] = {
    NodeEvent: EventKind.NODE,
    PathsEvent: EventKind.PATHS,
    ReduceEvent: EventKind.REDUCED,
    HookEvent: EventKind.HOOK,
}


def happening_of(before: TrainingState, action: Action, now: TrainingState) -> Happening | None:
    """Return what an action did, or None if the action's name says it all."""
    match action:
        case Answer(question) if len(question.after) == 1:
            return happening_of(before, question.after[0], now)
        case StepNode() | StepTo() | StepNodeBack():
            return _event_reached(now)
        case NextLine() if before.in_pass:
            return StatementDone(Kind.BACKWARD)
        case NextLine():
            return None if before.loop.next is None else StatementDone(before.loop.next)
        case ToggleZeroing():
            return StatementSwitched(Kind.ZERO, now.loop.is_enabled(Kind.ZERO))
        case ToggleStatement(key):
            return StatementSwitched(key, _is_enabled(now, key))
    return None


def _is_enabled(now: TrainingState, key: StatementKey) -> bool:
    return now.loop.is_enabled(key) if isinstance(key, Kind) else key in now.loop.enabled


def _event_reached(now: TrainingState) -> EventReached | None:
    passing = now.passing
    if passing is None or not passing.cursor:
        return None
    event = passing.trace.events[passing.cursor - 1]
    source = event.source.expression if isinstance(event, NodeEvent) and event.source else ""
    kind, parts = KINDS[type(event)], 0
    if isinstance(event, PathsEvent):
        parts = len(event.parts)
    elif isinstance(event, ReduceEvent):
        parts = event.before.numel() // max(event.after.numel(), 1)
        kind = EventKind.CAST if event.before.shape == event.after.shape else kind
    return EventReached(passing.cursor, kind, event_name(event), source, parts)
