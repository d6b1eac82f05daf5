"""Replays a sequence of actions on a fresh session and keeps the frames before and after each action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gradstep.actions import Action, Answer, GoTo, Redo, StepNode, StepTo, Undo
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.predictions.exercise import Prediction
from gradstep.predictions.judging import judge
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One replayed action, with the frames before and after it."""

    number: int
    """Number of the action in the export, counted from 1."""

    action: Action
    before: Frame
    after: Frame
    error: PyTorchError | None = None
    """Error that PyTorch raised; whatever ran before it is in `after`. None if PyTorch raised no error."""

    prediction: Prediction | None = None
    """Prediction of what the action gives; None if none was made."""


def moments_of(session: Session, actions: Iterable[Action]) -> tuple[Moment, ...]:
    """Apply actions one after another; those that gradstep itself refuses change nothing and are left out.

    Args:
        session: A fresh session; the actions are applied to it.
        actions: The actions, without those that were undone.

    Raises:
        ValueError: an action moves in the history (`Undo`, `Redo` or `GoTo`).
    """
    moments: list[Moment] = []
    for action in actions:
        if isinstance(action, Answer):
            prediction, before = _prediction(session, action), len(moments)
            _add(moments, session, action.question.after)
            if len(moments) > before:
                moments[-1] = replace(moments[-1], prediction=prediction)
        else:
            _add(moments, session, [action])
    return tuple(moments)


def _prediction(session: Session, action: Answer) -> Prediction | None:
    """Return what an answer was worth; None if that cannot be known before its actions run."""
    try:
        posed = session.put(action.question).posed
        return Prediction(action.given, posed, judge(posed, action.given))
    except EngineError:
        return None


def _add(moments: list[Moment], session: Session, actions: Iterable[Action]) -> None:
    for action in _one_by_one(session, actions):
        before, error = session.frame, None
        try:
            session.apply(action)
        except PyTorchError as refused:
            error = refused
        except EngineError:
            continue
        moments.append(Moment(len(moments) + 1, action, before, session.frame, error))


def _one_by_one(session: Session, actions: Iterable[Action]) -> Iterator[Action]:
    """Yield the actions, with each `StepTo` replaced by as many single node steps."""
    for action in actions:
        match action:
            case Undo() | Redo() | GoTo():
                raise ValueError("actions must not contain Undo, Redo or GoTo: leave out what was undone")
            case StepTo(event):
                passing = session.state.passing if session.state.in_pass else None
                for _ in range(event - (0 if passing is None else passing.cursor)):
                    yield StepNode()
            case _:
                yield action
