"""Does a saved session's actions again, and says where other bits come out."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from gradstep.actions import Action, Forward, GoTo, Redo, RunEpochs, StepNode, StepNodeBack, StepTo, Undo
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.saving.fingerprint import bits_of, loss_of, node_of, tensors_of
from gradstep.saving.mismatch import Mismatch, compared
from gradstep.saving.reader import BadSessionFile, SavedSession
from gradstep.saving.records import Did
from gradstep.scripts.script_errors import Abandoned, ScriptError
from gradstep.session import Session
from gradstep.training.state import State

LATEST: Final = 500
"""How many actions at the end are done again with all that can be looked into."""

OFTEN: Final = 16
"""Of the actions before, every so many too."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A session that has been replayed."""

    session: Session
    done: int
    """How many actions; fewer than there are where it was stopped: then the session is of no use."""

    mismatch: Mismatch | None
    """The first action after which something was not as it was then; None where every bit is the same."""


def replay(
    saved: SavedSession,
    tell: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Make the session again; it goes on after a mismatch.

    Args:
        saved: What to replay.
        tell: Called with the number of actions done, after each.
        stopped: Asked between actions, and between the epochs of a run.

    Raises:
        BadSessionFile: the session cannot even start, e.g. its problem is unknown.
        ScriptError: its script is missing, or has changed since.
        Abandoned: `stopped` said so while its script ran.
    """
    try:
        session = open_session(saved.header.start, stopped)
    except (ScriptError, Abandoned):  # that tells it best itself
        raise
    except EngineError as error:
        raise BadSessionFile(saved.path, f"names a start that cannot be: {error}", 1) from error
    names = tuple(one.name for one in session.frame.parameters)
    mismatch, done = None, 0
    refusals = {number for number, did in enumerate(saved.actions) if did.refused}
    looked_into = _looked_into([did.action for did in saved.actions], refusals)
    for line, did, environment in saved.steps():
        refused = _apply(session, did.action, looked_into[done], stopped)
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
    """Do actions again on a fresh session, without comparing anything.

    Args:
        session: The session.
        actions: What was done.
        refused: Which of them PyTorch refused, counted from 0.
        stopped: Asked between actions: where it says so, the session is of no use.
    """
    for action, looked_into in zip(actions, _looked_into(actions, refused), strict=True):
        if stopped():
            return
        _apply(session, action, looked_into, stopped)


def _apply(session: Session, action: Action, looked_into: bool, stopped: Callable[[], bool]) -> str:
    """Do an action; give why it was refused, empty where it was not."""
    try:
        session.do_again(action, stopped, recorded=looked_into)
    except EngineError as error:
        return str(error)
    return ""


def _looked_into(actions: Sequence[Action], refused: Container[int]) -> list[bool]:
    """Say for each action whether its passes are recorded: recording is most of the work.

    They are for the last ones, for those that a later action steps through, for what was refused, and now and
    then, so that there are states to go back to.
    """
    flags, stepped = list[bool](), False
    for left, action in enumerate(reversed(actions)):
        if isinstance(action, StepNode | StepNodeBack | StepTo | Undo | Redo | GoTo):
            stepped = True
        number = len(actions) - 1 - left
        flags.append(stepped or left < LATEST or left % OFTEN == 0 or number in refused)
        if isinstance(action, Forward | RunEpochs):
            stepped = False
    return flags[::-1]


def _same(did: Did, names: tuple[str, ...], state: State, refused: str) -> bool:
    return (
        did.bits == bits_of(tensors_of(names, state))
        and did.epoch == state.epoch
        and did.loss == loss_of(state)
        and did.node == node_of(state)
        and bool(did.refused) == bool(refused)
    )
