"""Runs long work in a thread, so that the screen stays responsive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from textual.message import Message

from gradstep.actions import Action, GoTo, RunEpochs
from gradstep.errors import EngineError

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

Work: TypeAlias = Callable[[Callable[[], bool]], Any]
"""Work on a session, called with a function that returns whether to stop; nothing else may use the session
meanwhile."""


class WorkEnded(Message):
    """Posted when the work has ended, with its result or the engine's error."""

    def __init__(self, error: EngineError | None, result: Any) -> None:
        """Carry the error, or None, and the result."""
        super().__init__()
        self.error = error
        self.result = result


def run(screen: MessagePump, work: Work, stopped: Callable[[], bool]) -> None:
    """Do the work and post `WorkEnded` to `screen`."""
    error = result = None
    try:
        result = work(stopped)
    except EngineError as refused:
        error = refused
    screen.post_message(WorkEnded(error, result))


def takes_long(action: Action) -> bool:
    """Whether an action may run many epochs."""
    match action:
        case RunEpochs(count):
            return count > 1
        case GoTo(_, inside):
            return inside > 1
        case _:
            return False
