"""A line of actions, done again on a fresh session: what each started from, and what was shown then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gradstep.actions import Action, GoTo, Redo, StepNode, StepTo, Undo
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One action, between two frames."""

    number: int
    """Its place in the line, counted from 1."""

    action: Action
    before: Frame
    after: Frame
    error: PyTorchError | None = None
    """What PyTorch refused; what it had done by then is in `after`. None where nothing was refused."""


def moments_of(session: Session, actions: Iterable[Action]) -> tuple[Moment, ...]:
    """Apply actions one after another; those that change nothing and that PyTorch never saw are left out.

    Args:
        session: A fresh one, which is used up.
        actions: What was done.

    Raises:
        ValueError: there is a move in the history among them, which belongs to no line of actions.
    """
    moments: list[Moment] = []
    for action in _one_by_one(session, actions):
        before, error = session.frame, None
        try:
            session.apply(action)
        except PyTorchError as refused:
            error = refused
        except EngineError:
            continue
        moments.append(Moment(len(moments) + 1, action, before, session.frame, error))
    return tuple(moments)


def _one_by_one(session: Session, actions: Iterable[Action]) -> Iterator[Action]:
    """Give the actions, node by node where they step through a pass."""
    for action in actions:
        match action:
            case Undo() | Redo() | GoTo():
                raise ValueError("what was undone was not done: give the line of actions without it")
            case StepTo(event):
                passing = session.state.passing if session.state.in_pass else None
                for _ in range(event - (0 if passing is None else passing.cursor)):
                    yield StepNode()
            case _:
                yield action
