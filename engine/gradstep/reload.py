"""Settings that survive a reload of the script."""

from __future__ import annotations

from collections import deque
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from gradstep.actions import Action, MoveStatement, ToggleSetToNone, ToggleStatement
from gradstep.errors import EngineError, Refused
from gradstep.loop.loop import Kind, Loop
from gradstep.loop.script_loop import ScriptLoop
from gradstep.reasons import Reason, Refusal
from gradstep.scripts.source import digest_of
from gradstep.start import Start

if TYPE_CHECKING:
    from gradstep.problem import Problem
    from gradstep.session import Session


def start_again(session: Session) -> Start:
    """Return a start for the present text of the problem's file, with the learner's own settings.

    A learning rate or an optimizer that differs from the script's counts as the learner's choice; otherwise
    the edited script's own is used.

    Raises:
        Refused: The session has no script.
    """
    origin, state = session.origin, session.state
    if origin is None:
        raise Refused(Refusal(Reason.NO_SCRIPT))
    if isinstance(state.loop, ScriptLoop):
        return replace(origin, digest=None, modules=None)
    problem = cast("Problem", session.problem)
    chose_rate = origin.rate is not None or state.learning_rate != problem.learning_rate
    chose_optimizer = origin.optimizer is not None or state.loop.optimizer != problem.optimizer
    return replace(
        origin,
        digest=None,
        rate=state.learning_rate if chose_rate else None,
        optimizer=state.loop.optimizer if chose_optimizer else None,
        batches=None if state.loop.batches.full else state.loop.batches,
    )


def is_unchanged(origin: Start) -> bool:
    """Return whether a session's file, and the modules beside it, have the text with which it began.

    Only then can the saved session be resumed.
    """
    if not origin.has_file:
        return True
    try:
        origin.source()
        beside = {file: Path(origin.problem).with_name(file).read_bytes() for file in origin.modules or {}}
    except (EngineError, OSError):
        return False
    return all(digest_of(data) == (origin.modules or {})[file] for file, data in beside.items())


def edits(loop: Loop, wanted: Loop) -> tuple[Action, ...]:
    """Return the edits that turn `loop` into `wanted`: order of lines, lines commented out, way of zeroing.

    Both loops must split the samples in the same way.
    """
    toggled = [
        statement.kind
        for statement in wanted.statements
        if loop.is_enabled(statement.kind) != statement.enabled
    ]
    none = [ToggleSetToNone()] if loop.set_to_none != wanted.set_to_none else []
    return (*_moves(loop, wanted), *map(ToggleStatement, toggled), *none)


def _moves(loop: Loop, wanted: Loop) -> tuple[MoveStatement, ...]:
    """Return the fewest moves that lead to the wanted order; a move may also enter or leave an inner loop."""
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
    return ()  # no sequence of moves leads there


def _order(loop: Loop) -> tuple[tuple[Kind, ...], range]:
    return tuple(statement.kind for statement in loop.statements), loop.inner


def edit_like(session: Session, other: Session) -> None:
    """Apply edits to `session`, as its first actions, so that its loop is the loop of `other`."""
    loop, wanted = session.state.loop, other.state.loop
    if isinstance(loop, Loop) and isinstance(wanted, Loop):
        for action in edits(loop, wanted):
            session.apply(action)
    elif isinstance(loop, ScriptLoop) and isinstance(wanted, ScriptLoop):
        for action in script_edits(loop, wanted):
            session.apply(action)


def script_edits(loop: ScriptLoop, wanted: ScriptLoop) -> tuple[Action, ...]:
    """Return the edits that comment out the statements that are commented out in `wanted`, by their text."""
    out = [statement.lines for statement in wanted.statements if not statement.enabled]
    return tuple(ToggleStatement(s.key) for s in loop.statements if s.enabled and s.lines in out)
