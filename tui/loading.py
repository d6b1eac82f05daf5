"""Fetches PyTorch and the session in a thread, so that the first frame need not wait for them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from engine.errors import EngineError

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from engine.session import Session


class Loaded(Message):
    """The session is there."""

    def __init__(self, session: Session) -> None:
        """Carry the session."""
        super().__init__()
        self.session = session


class LoadFailed(Message):
    """There is no session, because of `error`."""

    def __init__(self, error: EngineError) -> None:
        """Carry the error."""
        super().__init__()
        self.error = error


def load(screen: MessagePump, make_session: Callable[[], Session]) -> None:
    """Make the session and post it to `screen`."""
    # Importing torch makes a million objects, none of them garbage: looking for some costs a fifth.
    gc.disable()
    try:
        session = make_session()
    except EngineError as error:
        screen.post_message(LoadFailed(error))
        return
    finally:
        gc.enable()
    gc.freeze()
    screen.post_message(Loaded(session))
