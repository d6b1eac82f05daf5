"""What of a session goes on in the next one, once its script has been edited."""

from __future__ import annotations

from collections import deque
from itertools import product
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gradstep.actions import Action, MoveStatement, ToggleSetToNone, ToggleStatement
from gradstep.errors import Refused
from gradstep.loop.loop import Kind, Loop
from gradstep.start import Start

if TYPE_CHECKING:
    from gradstep.session import Session


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
        batches=None if state.loop.batches.full else state.loop.batches,
    )


def edits(loop: Loop, wanted: Loop) -> tuple[Action, ...]:
    """Give the edits that make one loop like another: the order of its lines, which run, how it zeroes.

    Both split the samples in the same way.
    """
    toggled = [one.kind for one in wanted.statements if loop.is_enabled(one.kind) != one.enabled]
    none = [ToggleSetToNone()] if loop.set_to_none != wanted.set_to_none else []
    return (*_moves(loop, wanted), *map(ToggleStatement, toggled), *none)


def _moves(loop: Loop, wanted: Loop) -> tuple[MoveStatement, ...]:
    """Give the fewest moves that lead to an order of lines; a move may also go into an inner loop, or out."""
    waiting, seen = deque([(loop, tuple[MoveStatement, ...]())]), {_order(loop)}
    while waiting:
        here, moves = waiting.popleft()
        if _order(here) == _order(wanted):
            return moves
        for kind, steps in product(Kind, (-1, 1)):
            there = here.moved(kind, steps)
            if _order(there) not in seen:
                seen.add(_order(there))
                waiting.append((there, (*moves, MoveStatement(kind, steps))))
    return ()  # there is no way to it


def _order(loop: Loop) -> tuple[tuple[Kind, ...], range]:
    return tuple(one.kind for one in loop.statements), loop.inner


def edit_like(session: Session, other: Session) -> None:
    """Edit a session's loop as another one's; these are its first actions."""
    for action in edits(session.state.loop, other.state.loop):
        session.apply(action)
