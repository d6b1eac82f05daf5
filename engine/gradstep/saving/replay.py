"""Applies the actions of a saved session again and finds the first one after which the bits differ."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from gradstep.actions import (
    Action,
    Answer,
    Forward,
    GoTo,
    Redo,
    RunEpochs,
    StepNode,
    StepNodeBack,
    StepTo,
    Undo,
)
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.saving.fingerprint import bits_of, loss_of, node_of, outcome_of, tensors_of
from gradstep.saving.mismatch import Mismatch, compared
from gradstep.saving.reader import BadSessionFile, SavedSession
from gradstep.saving.records import Did
from gradstep.scripts.script_errors import Abandoned, ScriptError
from gradstep.session import Session
from gradstep.training.state import TrainingState

RECORDED_AT_END: Final = 500
"""Actions at the end of a session whose backward passes are recorded during a replay."""

RECORDED_EVERY: Final = 16
"""Distance between the earlier actions whose backward passes are recorded as well."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Result of a replay."""

    session: Session
    done: int
    """Actions applied. If they are fewer than in the file, the replay was stopped; discard the session."""

    mismatch: Mismatch | None
    """First action after which something differs from the file; None if every bit is the same."""


def replay(
    saved: SavedSession,
    tell: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Replay a saved session to its end, also after a mismatch.

    Args:
        saved: Session to replay.
        tell: Called after each action with the number of actions applied so far.
        stopped: Polled between actions and between the epochs of a run; return True to stop.

    Raises:
        BadSessionFile: The session cannot start, e.g. because its problem is unknown.
        ScriptError: The session's script is missing or has changed.
        Abandoned: `stopped` returned True while the script ran.
    """
    try:
        session = open_session(saved.header.start, stopped)
    except (ScriptError, Abandoned):  # their own messages are better
        raise
    except EngineError as error:
        raise BadSessionFile(saved.path, f"names a start that is not possible: {error}", 1) from error
    names = tuple(parameter.name for parameter in session.frame.parameters)
    mismatch, done = None, 0
    refusals = {number for number, did in enumerate(saved.actions) if did.refused}
    recorded = _recorded([did.action for did in saved.actions], refusals)
    for line, did, environment in saved.steps():
        refused = _apply(session, did.action, recorded[done], stopped)
        if stopped():
            break
        done += 1
        state = session.state
        if mismatch is None and not _same(did, names, state, refused):
            mismatch = compared(did, line, environment, tensors_of(names, state), state, refused)
        tell(done)
    return Replayed(session, done, mismatch)


def repeat(
    session: Session,
    actions: Sequence[Action],
    refused: Container[int] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Apply actions to a session at its start, without comparing anything.

    Args:
        session: Session at its start.
        actions: Actions to apply.
        refused: Indices of the actions that PyTorch refused, counted from 0.
        stopped: Polled between actions; return True to stop. The session is then incomplete: discard it.
    """
    for action, recorded in zip(actions, _recorded(actions, refused), strict=True):
        if stopped():
            return
        _apply(session, action, recorded, stopped)


def _apply(session: Session, action: Action, recorded: bool, stopped: Callable[[], bool]) -> str:
    """Apply an action and return the error that refused it, or an empty string."""
    try:
        session.do_again(action, stopped, recorded=recorded)
    except EngineError as error:
        return str(error)
    return ""


def _recorded(actions: Sequence[Action], refused: Container[int]) -> list[bool]:
    """Return for each action whether its backward passes are recorded, which is most of the work.

    They are recorded for the last actions, for passes that a later action steps through or that an answer is
    judged by, for refused actions, and at intervals, so that undo has states to restore.
    """
    flags, stepped = list[bool](), False
    for left, action in enumerate(reversed(actions)):
        if isinstance(action, Answer | StepNode | StepNodeBack | StepTo | Undo | Redo | GoTo):
            stepped = True
        number = len(actions) - 1 - left
        flags.append(stepped or left < RECORDED_AT_END or left % RECORDED_EVERY == 0 or number in refused)
        if isinstance(action, Forward | RunEpochs):
            stepped = False
    return flags[::-1]


def _same(did: Did, names: tuple[str, ...], state: TrainingState, refused: str) -> bool:
    return (
        did.bits == bits_of(tensors_of(names, state))
        and did.epoch == state.epoch
        and did.loss == loss_of(state)
        and did.node == node_of(state)
        and bool(did.refused) == bool(refused)
        and did.outcome == outcome_of(did.action, state)
    )
