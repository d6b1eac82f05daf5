"""Imports PyTorch and makes the session in a thread, so that the first frame does not wait for them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from gradstep.tensors.gc_pause import without_collection

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from gradstep.session import Session
    from gradstep_tui.session.autosave import Autosave
    from gradstep_tui.session.offers import Offer


class Loaded(Message):
    """Posted when the session was made."""

    def __init__(self, session: Session, offer: Offer | None = None) -> None:
        """Carry the session, and an earlier session that could be resumed instead."""
        super().__init__()
        self.session = session
        self.offer = offer


class LoadFailed(Message):
    """Posted when the session could not be made, because of `error`."""

    def __init__(self, error: BaseException) -> None:
        """Carry the error; one that is no `EngineError` is a bug."""
        super().__init__()
        self.error = error


class Troubled(Message):
    """Posted when saving has failed; nothing more is saved."""

    def __init__(self, trouble: str) -> None:
        """Carry the reason."""
        super().__init__()
        self.trouble = trouble


def load(screen: MessagePump, make_session: Callable[[], Session], autosave: Autosave | None) -> None:
    """Make a session and post `Loaded` or `LoadFailed` to `screen`.

    Args:
        screen: Receiver of the message.
        make_session: Makes the session; may raise an `EngineError`.
        autosave: Source of the earlier session to offer; None to offer none.
    """
    # Importing torch makes a million objects and no garbage: collection would waste a fifth of the time.
    try:
        with without_collection():
            session = make_session()
            offer = None if autosave is None else autosave.offer()
    except BaseException as error:  # the thread would end in silence, and the screen wait for ever
        screen.post_message(LoadFailed(error))
        return
    gc.freeze()
    screen.post_message(Loaded(session, offer))
