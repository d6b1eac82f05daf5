"""Runs epochs in a thread, so that the screen stays alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from engine.errors import EngineError

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from engine.actions import RunEpochs
    from engine.session import Session


class RunEnded(Message):
    """A run of epochs is over; `error` is what the engine refused, or None."""

    def __init__(self, error: EngineError | None) -> None:
        """Carry how it ended."""
        super().__init__()
        self.error = error


def run(screen: MessagePump, session: Session, action: RunEpochs, stopped: Callable[[], bool]) -> None:
    """Apply `action` and post how it ended to `screen`. Nobody else may use the session meanwhile."""
    error = None
    try:
        session.apply(action, stopped)
    except EngineError as refused:
        error = refused
    screen.post_message(RunEnded(error))
