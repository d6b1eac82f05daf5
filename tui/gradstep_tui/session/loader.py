"""Fetches PyTorch and the session in a thread, so that the first frame need not wait for them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from gradstep.errors import EngineError
from gradstep.training.gc_pause import without_collection

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from gradstep.session import Session
    from gradstep_tui.session.autosave import Keeper, Offer


class Loaded(Message):
    """The session is there."""

    def __init__(self, session: Session, offer: Offer | None = None) -> None:
        """Carry the session, and an earlier one that could be gone on with instead."""
        super().__init__()
        self.session = session
        self.offer = offer


class LoadFailed(Message):
    """There is no session, because of `error`."""

    def __init__(self, error: EngineError) -> None:
        """Carry the error."""
        super().__init__()
        self.error = error


class Troubled(Message):
    """Nothing can be saved any more."""

    def __init__(self, trouble: str) -> None:
        """Carry why."""
        super().__init__()
        self.trouble = trouble


def load(screen: MessagePump, make_session: Callable[[], Session], keeper: Keeper | None) -> None:
    """Make the session and post it to `screen`, with what `keeper` has to offer."""
    # Importing torch makes a million objects, none of them garbage: looking for some costs a fifth.
    try:
        with without_collection():
            session = make_session()
            offer = None if keeper is None else keeper.offer()
    except EngineError as error:
        screen.post_message(LoadFailed(error))
        return
    gc.freeze()
    screen.post_message(Loaded(session, offer))
