"""Does what takes long in a thread, so that the screen stays alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from textual.message import Message

from gradstep.errors import EngineError

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

Work: TypeAlias = Callable[[Callable[[], bool]], Any]
"""Is given what says whether to stop; nobody else may use the session meanwhile."""


class WorkEnded(Message):
    """The work is over; `error` is what the engine refused, or None, and `result` what came of it."""

    def __init__(self, error: EngineError | None, result: Any) -> None:
        """Carry how it ended."""
        super().__init__()
        self.error = error
        self.result = result


def run(screen: MessagePump, work: Work, stopped: Callable[[], bool]) -> None:
    """Do the work and post how it ended to `screen`."""
    error = result = None
    try:
        result = work(stopped)
    except EngineError as refused:
        error = refused
    screen.post_message(WorkEnded(error, result))
