"""What of a session goes on in the next one, once its script has been edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.actions import Action, MoveStatement, ToggleSetToNone, ToggleStatement
from engine.errors import Refused
from engine.start import Start

if TYPE_CHECKING:
    from engine.loop import Loop
    from engine.session import Session


def start_again(session: Session) -> Start:
    """Give a start for the problem's file as it is now, with what the learner chose.

    The learning rate and the optimizer are chosen where they are not the script's own; else the new script's
    take their place.

    Raises:
        Refused: the session has no script.
    """
    origin, problem, state = session.origin, session.problem, session.state
    if origin is None:
        raise Refused("there is nothing to read again: this session has no script")
    chose_rate = origin.rate is not None or state.learning_rate != problem.learning_rate
    chose_optimizer = origin.optimizer is not None or state.loop.optimizer != problem.optimizer
    return replace(
        origin,
        digest=None,
        rate=state.learning_rate if chose_rate else None,
        optimizer=state.loop.optimizer if chose_optimizer else None,
    )


def edits(loop: Loop, wanted: Loop) -> tuple[Action, ...]:
    """Give the edits that make one loop like another: the order of its lines, which run, how it zeroes."""
    found = list[Action]()
    for place, statement in enumerate(wanted.statements):
        kinds = [one.kind for one in loop.statements]
        for _ in range(kinds.index(statement.kind) - place):
            found.append(MoveStatement(statement.kind, -1))
            loop = loop.moved(statement.kind, -1)
    for statement in wanted.statements:
        if loop.is_enabled(statement.kind) != statement.enabled:
            found.append(ToggleStatement(statement.kind))
    if loop.set_to_none != wanted.set_to_none:
        found.append(ToggleSetToNone())
    return tuple(found)


def edit_like(session: Session, other: Session) -> None:
    """Edit a session's loop as another one's; these are its first actions."""
    for action in edits(session.state.loop, other.state.loop):
        session.apply(action)
